"""Where the lens touches the kernel: ptrace, seccomp, /proc, namespaces. As thin as can be."""
