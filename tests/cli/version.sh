vlabench --version
