"""Where the lens touches the kernel: ptrace, seccomp, /proc, namespaces, processes of our own. As thin as can be."""
