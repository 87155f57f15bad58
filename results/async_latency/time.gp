# gnuplot time.gp   draws time.svg and time.png from time.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 860,410 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'time.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: completion time' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; virtual time; means with 95 % intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set border 1
set tmargin 5
set bmargin 5
set grid xtics lc rgb '#ececec' lt 1
set xrange [0:*]
set xlabel 'seconds from the first action to success'
set yrange [6.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s' 1, 'Synchronous, 0.7 s' 2, 'Synchronous, 1.4 s' 3, 'Asynchronous, 0.2 s' 4, 'Asynchronous, 0.7 s' 5, 'Asynchronous, 1.4 s' 6)
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bars 0.7
plot 'time.dat' using 2:1:3:4 with xerrorbars lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2 title 'this program', \
  '' using 2:1:(sprintf('%.2f', $2)) with labels offset 0,0.9 tc rgb '#1b6ca8' notitle

reset
set terminal pngcairo size 1720,820 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'time.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: completion time' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; virtual time; means with 95 % intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set border 1
set tmargin 5
set bmargin 5
set grid xtics lc rgb '#ececec' lt 1
set xrange [0:*]
set xlabel 'seconds from the first action to success'
set yrange [6.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s' 1, 'Synchronous, 0.7 s' 2, 'Synchronous, 1.4 s' 3, 'Asynchronous, 0.2 s' 4, 'Asynchronous, 0.7 s' 5, 'Asynchronous, 1.4 s' 6)
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bars 0.7
plot 'time.dat' using 2:1:3:4 with xerrorbars lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2 title 'this program', \
  '' using 2:1:(sprintf('%.2f', $2)) with labels offset 0,0.9 tc rgb '#1b6ca8' notitle
unset output
