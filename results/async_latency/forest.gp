# gnuplot forest.gp   draws forest.svg and forest.png from forest.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 920,282 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'forest.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: differences' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; p adjusted (Holm); full: separable' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 6 ps 1.2
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2
set border 1
set grid xtics lc rgb '#ececec' lt 1
set xrange [-30:51]
set xtics -30, 10, 30
set xlabel 'points of success; right: the first arm is better'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#777777' dt 2
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set tmargin 5
set bmargin 5
set bars 0.7
set yrange [3.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s - Asynchronous, 0.2 s' 1, 'Synchronous, 0.7 s - Asynchronous, 0.7 s' 2, 'Synchronous, 1.4 s - Asynchronous, 1.4 s' 3)
set label '-10.0   p 0.750' at 31.8, 1 left tc rgb '#1b6ca8'
set label '-3.3   p 1.000' at 31.8, 2 left tc rgb '#1b6ca8'
set label '-6.7   p 1.000' at 31.8, 3 left tc rgb '#1b6ca8'
plot 'forest.dat' using 2:($5 == 1 ? 1/0 : $1):3:4 with xerrorbars ls 1 title 'not separable', \
  '' using 2:($5 == 1 ? $1 : 1/0):3:4 with xerrorbars ls 3 title 'separable'

reset
set terminal pngcairo size 1840,564 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'forest.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: differences' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; p adjusted (Holm); full: separable' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 6 ps 1.2
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2
set border 1
set grid xtics lc rgb '#ececec' lt 1
set xrange [-30:51]
set xtics -30, 10, 30
set xlabel 'points of success; right: the first arm is better'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#777777' dt 2
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set tmargin 5
set bmargin 5
set bars 0.7
set yrange [3.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s - Asynchronous, 0.2 s' 1, 'Synchronous, 0.7 s - Asynchronous, 0.7 s' 2, 'Synchronous, 1.4 s - Asynchronous, 1.4 s' 3)
set label '-10.0   p 0.750' at 31.8, 1 left tc rgb '#1b6ca8'
set label '-3.3   p 1.000' at 31.8, 2 left tc rgb '#1b6ca8'
set label '-6.7   p 1.000' at 31.8, 3 left tc rgb '#1b6ca8'
plot 'forest.dat' using 2:($5 == 1 ? 1/0 : $1):3:4 with xerrorbars ls 1 title 'not separable', \
  '' using 2:($5 == 1 ? $1 : 1/0):3:4 with xerrorbars ls 3 title 'separable'
unset output
