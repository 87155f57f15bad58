# precisions: actions near float32's, the same bits for any number of threads, the calibration kept; a processor without the instructions is refused or slower, said either way
tiny=$data/lerobot/tiny
act() { vlabench infer --checkpoint "$tiny" --image camera1="$tiny/camera1.png" --image camera2="$tiny/camera2.png" --task "open the drawer" --state 1,2,-3,0.5,1e-3,0 --csv "$@"; }
act >exact.csv
act -j 3 | cmp - exact.csv && echo "float32: the same with three threads"
act --precision int4
echo "exit $?"
DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 act --precision int8 2>&1 >/dev/null | sed 's/offers .*;/offers ...;/'
DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 act --precision bfloat16 2>&1 >slow.csv | sed 's/(.*)/(...)/'
near() { paste -d, exact.csv "$1" | awk -F, -v bar="$2" '{for (i = 1; i <= NF / 2; i++) {d = $i - $(i + NF / 2); if (d < 0) d = -d; if (d > m) m = d}} END {print (m > 0 && m < bar) ? "near" : "off by " m}'; }
near slow.csv 0.2
