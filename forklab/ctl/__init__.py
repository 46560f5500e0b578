"""What people see of a service manager, and say to it: the verbs of `ctl`, in systemctl's words and exit statuses."""
