# a result that cannot be written is a failure
vlabench --help >/dev/full
