# gnuplot forest.gp   draws forest.svg and forest.png from forest.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 1080,316 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'forest.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference: differences' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; p adjusted (Holm); full: separable' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 6 ps 1.2
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2
set border 1
set grid xtics lc rgb '#ececec' lt 1
set xrange [-20:34]
set xtics -20, 5, 20
set xlabel 'points of success; right: the first arm is better'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#777777' dt 2
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set tmargin 5
set bmargin 5
set bars 0.7
set yrange [4.6:0.4]
set ytics scale 0 ('Synchronous - Asynchronous, g = 0.7' 1, 'Asynchronous, g = 0.7 - Real-time chunking' 2, 'Asynchronous, g = 0.7 - LeRobot''s client and server, g = 0.5' 3, 'A policy that takes no time - Asynchronous, g = 0.7' 4)
set label '-4.7   p 0.972' at 21.2, 1 left tc rgb '#1b6ca8'
set label '+8.7   p 0.290' at 21.2, 2 left tc rgb '#1b6ca8'
set label '-4.0   p 0.972' at 21.2, 3 left tc rgb '#1b6ca8'
set label '+0.0   p 1.000' at 21.2, 4 left tc rgb '#1b6ca8'
plot 'forest.dat' using 2:($5 == 1 ? 1/0 : $1):3:4 with xerrorbars ls 1 title 'not separable', \
  '' using 2:($5 == 1 ? $1 : 1/0):3:4 with xerrorbars ls 3 title 'separable', \
  '' using 6:($1+0.2) with points ls 2 title 'paper'

reset
set terminal pngcairo size 2160,632 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'forest.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference: differences' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; p adjusted (Holm); full: separable' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 6 ps 1.2
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2
set border 1
set grid xtics lc rgb '#ececec' lt 1
set xrange [-20:34]
set xtics -20, 5, 20
set xlabel 'points of success; right: the first arm is better'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#777777' dt 2
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set tmargin 5
set bmargin 5
set bars 0.7
set yrange [4.6:0.4]
set ytics scale 0 ('Synchronous - Asynchronous, g = 0.7' 1, 'Asynchronous, g = 0.7 - Real-time chunking' 2, 'Asynchronous, g = 0.7 - LeRobot''s client and server, g = 0.5' 3, 'A policy that takes no time - Asynchronous, g = 0.7' 4)
set label '-4.7   p 0.972' at 21.2, 1 left tc rgb '#1b6ca8'
set label '+8.7   p 0.290' at 21.2, 2 left tc rgb '#1b6ca8'
set label '-4.0   p 0.972' at 21.2, 3 left tc rgb '#1b6ca8'
set label '+0.0   p 1.000' at 21.2, 4 left tc rgb '#1b6ca8'
plot 'forest.dat' using 2:($5 == 1 ? 1/0 : $1):3:4 with xerrorbars ls 1 title 'not separable', \
  '' using 2:($5 == 1 ? $1 : 1/0):3:4 with xerrorbars ls 3 title 'separable', \
  '' using 6:($1+0.2) with points ls 2 title 'paper'
unset output
