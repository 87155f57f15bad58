# says what would be recorded; a value out of its range is refused
vlabench demos spatial -o out --per_task 5 -n
ls
vlabench demos spatial -o out --per_task 0 -n
