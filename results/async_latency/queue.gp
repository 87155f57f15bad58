# gnuplot queue.gp   draws queue.svg and queue.png from queue.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 940,420 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'queue.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference: actions in the queue' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; first episode; triangles: an empty queue forces a look' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set lmargin 9
set rmargin 40
set grid ytics lc rgb '#ececec' lt 1
set yrange [-6:54]
set ylabel 'actions waiting'
set xlabel 'virtual seconds'
set key at graph 1.03, graph 1 left top Left reverse samplen 2 spacing 1.2
set xrange [0:8.33]
set tmargin at screen 0.82
set bmargin at screen 0.15
set label 3 '' at graph 0, graph 1.06 left
plot 'queue.dat' index 0 using 1:2 with steps lw 2 lc rgb '#0072b2' title 'Synchronous, 0.2 s', '' index 0 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#0072b2' notitle, \
  'queue.dat' index 1 using 1:2 with steps lw 2 lc rgb '#d55e00' title 'Synchronous, 0.7 s', '' index 1 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#d55e00' notitle, \
  'queue.dat' index 2 using 1:2 with steps lw 2 lc rgb '#009e73' title 'Synchronous, 1.4 s', '' index 2 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#009e73' notitle, \
  'queue.dat' index 3 using 1:2 with steps lw 2 lc rgb '#cc79a7' title 'Asynchronous, 0.2 s', '' index 3 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#cc79a7' notitle, \
  'queue.dat' index 4 using 1:2 with steps lw 2 lc rgb '#e69f00' title 'Asynchronous, 0.7 s', '' index 4 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#e69f00' notitle, \
  'queue.dat' index 5 using 1:2 with steps lw 2 lc rgb '#56b4e9' title 'Asynchronous, 1.4 s', '' index 5 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#56b4e9' notitle
unset label 1
unset label 2
unset multiplot

reset
set terminal pngcairo size 1880,840 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'queue.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference: actions in the queue' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; first episode; triangles: an empty queue forces a look' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set lmargin 9
set rmargin 40
set grid ytics lc rgb '#ececec' lt 1
set yrange [-6:54]
set ylabel 'actions waiting'
set xlabel 'virtual seconds'
set key at graph 1.03, graph 1 left top Left reverse samplen 2 spacing 1.2
set xrange [0:8.33]
set tmargin at screen 0.82
set bmargin at screen 0.15
set label 3 '' at graph 0, graph 1.06 left
plot 'queue.dat' index 0 using 1:2 with steps lw 2 lc rgb '#0072b2' title 'Synchronous, 0.2 s', '' index 0 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#0072b2' notitle, \
  'queue.dat' index 1 using 1:2 with steps lw 2 lc rgb '#d55e00' title 'Synchronous, 0.7 s', '' index 1 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#d55e00' notitle, \
  'queue.dat' index 2 using 1:2 with steps lw 2 lc rgb '#009e73' title 'Synchronous, 1.4 s', '' index 2 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#009e73' notitle, \
  'queue.dat' index 3 using 1:2 with steps lw 2 lc rgb '#cc79a7' title 'Asynchronous, 0.2 s', '' index 3 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#cc79a7' notitle, \
  'queue.dat' index 4 using 1:2 with steps lw 2 lc rgb '#e69f00' title 'Asynchronous, 0.7 s', '' index 4 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#e69f00' notitle, \
  'queue.dat' index 5 using 1:2 with steps lw 2 lc rgb '#56b4e9' title 'Asynchronous, 1.4 s', '' index 5 using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '#56b4e9' notitle
unset label 1
unset label 2
unset multiplot
unset output
