/* Of which processor the numbers of system calls are that a filter of seccomp(2) asks for;
 * undefined where no filter of ours has been tried. */
#ifndef ARCHITECTURE_H
#define ARCHITECTURE_H

#include <linux/audit.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#endif
