# gnuplot curve.gp   draws curve.svg and curve.png from curve.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 860,620 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'curve.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.6 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 1.6 dt 3 pt 12 ps 0.9
set grid ytics lc rgb '#ececec' lt 1
set lmargin 13
set rmargin 24
set tmargin at screen 0.86
set bmargin at screen 0.42
set yrange [-2:102]
set ytics 20
set ylabel 'episodes that succeed, %'
set format x ''
set key at graph 1.03, graph 1 left top samplen 2 spacing 1.2
set bars 0.8
set xrange [0.128:1.472]
set xtics (0.2, 0.7, 1.4)
plot 'curve.dat' using 1:2 with lines ls 1 notitle, '' using 1:2:3:4 with yerrorbars ls 1 title 'this program'
unset label 1
unset label 2
set tmargin at screen 0.38
set bmargin at screen 0.13
set yrange [0:*]
set ytics auto
set ylabel "million operations\nper chunk"
set xlabel 'eval.latency'
set format x '%g'
set xrange [0.128:1.472]
set xtics (0.2, 0.7, 1.4)
plot 'curve.dat' using 1:6 with linespoints lw 2 pt 7 ps 0.9 lc rgb '#555555' notitle
unset multiplot

reset
set terminal pngcairo size 1720,1240 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'curve.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.6 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 1.6 dt 3 pt 12 ps 0.9
set grid ytics lc rgb '#ececec' lt 1
set lmargin 13
set rmargin 24
set tmargin at screen 0.86
set bmargin at screen 0.42
set yrange [-2:102]
set ytics 20
set ylabel 'episodes that succeed, %'
set format x ''
set key at graph 1.03, graph 1 left top samplen 2 spacing 1.2
set bars 0.8
set xrange [0.128:1.472]
set xtics (0.2, 0.7, 1.4)
plot 'curve.dat' using 1:2 with lines ls 1 notitle, '' using 1:2:3:4 with yerrorbars ls 1 title 'this program'
unset label 1
unset label 2
set tmargin at screen 0.38
set bmargin at screen 0.13
set yrange [0:*]
set ytics auto
set ylabel "million operations\nper chunk"
set xlabel 'eval.latency'
set format x '%g'
set xrange [0.128:1.472]
set xtics (0.2, 0.7, 1.4)
plot 'curve.dat' using 1:6 with linespoints lw 2 pt 7 ps 0.9 lc rgb '#555555' notitle
unset multiplot
unset output
