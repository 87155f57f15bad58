# gnuplot sweep.gp   draws sweep.svg and sweep.png from sweep.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 980,720 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'sweep.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; dashed: closed form' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set grid ytics lc rgb '#ececec' lt 1
set bars 0.6
set xrange [-0.042:1.442]
set key off
set arrow 1 from 1.16667, graph 0 to 1.16667, graph 1 nohead back lc rgb '#777777' dt 3
set arrow 2 from 0.833333, graph 0 to 0.833333, graph 1 nohead back lc rgb '#bbbbbb' dt 3
set label 4 'bound g n dt = latency' at 1.16667, graph 1.04 right font ',10' tc rgb '#777777'
set lmargin at screen 0.09
set rmargin at screen 0.46
set tmargin at screen 0.84
set bmargin at screen 0.55
set yrange [-2:102]
set ylabel 'episodes that succeed, %'
plot 'sweep.dat' index 0 using 1:2 with lines lw 2 lc rgb '#0072b2' title 'waiting', '' index 0 using 1:2:3:4 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:2 with lines lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 2 using 1:2:3:4 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#d55e00' notitle
unset label 1
unset label 2
set lmargin at screen 0.58
set rmargin at screen 0.96
set tmargin at screen 0.84
set bmargin at screen 0.55
set yrange [0:*]
set ylabel 'completion time, s'
plot 'sweep.dat' index 0 using 1:5 with lines lw 2 lc rgb '#0072b2' title 'waiting', '' index 0 using 1:5:6:7 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:5 with lines lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 2 using 1:5:6:7 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#d55e00' notitle
set xlabel 'latency, s'
set lmargin at screen 0.09
set rmargin at screen 0.46
set tmargin at screen 0.45
set bmargin at screen 0.19
set yrange [-1:*]
set ylabel 'ticks without an action, %'
plot 'sweep.dat' index 0 using 1:8 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#0072b2' title 'waiting', '' index 1 using 1:2 with lines lw 1.2 dt 2 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:8 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 3 using 1:2 with lines lw 1.2 dt 2 lc rgb '#d55e00' notitle
set lmargin at screen 0.58
set rmargin at screen 0.96
set tmargin at screen 0.45
set bmargin at screen 0.19
set yrange [0:*]
set ylabel 'load of the policy, %'
set key at screen 0.5, screen 0.005 center bottom horizontal samplen 2
plot 'sweep.dat' index 0 using 1:10 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#0072b2' title 'waiting', \
  'sweep.dat' index 2 using 1:10 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#d55e00' title 'Algorithm 1'
unset multiplot

reset
set terminal pngcairo size 1960,1440 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'sweep.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set multiplot
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % intervals; dashed: closed form' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set grid ytics lc rgb '#ececec' lt 1
set bars 0.6
set xrange [-0.042:1.442]
set key off
set arrow 1 from 1.16667, graph 0 to 1.16667, graph 1 nohead back lc rgb '#777777' dt 3
set arrow 2 from 0.833333, graph 0 to 0.833333, graph 1 nohead back lc rgb '#bbbbbb' dt 3
set label 4 'bound g n dt = latency' at 1.16667, graph 1.04 right font ',10' tc rgb '#777777'
set lmargin at screen 0.09
set rmargin at screen 0.46
set tmargin at screen 0.84
set bmargin at screen 0.55
set yrange [-2:102]
set ylabel 'episodes that succeed, %'
plot 'sweep.dat' index 0 using 1:2 with lines lw 2 lc rgb '#0072b2' title 'waiting', '' index 0 using 1:2:3:4 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:2 with lines lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 2 using 1:2:3:4 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#d55e00' notitle
unset label 1
unset label 2
set lmargin at screen 0.58
set rmargin at screen 0.96
set tmargin at screen 0.84
set bmargin at screen 0.55
set yrange [0:*]
set ylabel 'completion time, s'
plot 'sweep.dat' index 0 using 1:5 with lines lw 2 lc rgb '#0072b2' title 'waiting', '' index 0 using 1:5:6:7 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:5 with lines lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 2 using 1:5:6:7 with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '#d55e00' notitle
set xlabel 'latency, s'
set lmargin at screen 0.09
set rmargin at screen 0.46
set tmargin at screen 0.45
set bmargin at screen 0.19
set yrange [-1:*]
set ylabel 'ticks without an action, %'
plot 'sweep.dat' index 0 using 1:8 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#0072b2' title 'waiting', '' index 1 using 1:2 with lines lw 1.2 dt 2 lc rgb '#0072b2' notitle, \
  'sweep.dat' index 2 using 1:8 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#d55e00' title 'Algorithm 1', '' index 3 using 1:2 with lines lw 1.2 dt 2 lc rgb '#d55e00' notitle
set lmargin at screen 0.58
set rmargin at screen 0.96
set tmargin at screen 0.45
set bmargin at screen 0.19
set yrange [0:*]
set ylabel 'load of the policy, %'
set key at screen 0.5, screen 0.005 center bottom horizontal samplen 2
plot 'sweep.dat' index 0 using 1:10 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#0072b2' title 'waiting', \
  'sweep.dat' index 2 using 1:10 with linespoints pt 7 ps 0.8 lw 2 lc rgb '#d55e00' title 'Algorithm 1'
unset multiplot
unset output
