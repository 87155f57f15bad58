vlabench --help
