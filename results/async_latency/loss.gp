# gnuplot loss.gp   draws loss.svg and loss.png from loss.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 900,480 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'loss.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: training loss' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set grid ytics lc rgb '#e4e4e4' lt 1
set yrange [0.0775354:2.58979]
set logscale y
set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)
set tmargin 5
set xlabel 'optimiser step'
set ylabel 'training loss'
set key outside right top Left reverse samplen 2
plot 'loss.dat' index 0 with lines lw 1.8 dt 1 lc rgb '#0072b2' title 'Synchronous, 0.2 s'

reset
set terminal pngcairo size 1800,960 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'loss.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference: training loss' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set grid ytics lc rgb '#e4e4e4' lt 1
set yrange [0.0775354:2.58979]
set logscale y
set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)
set tmargin 5
set xlabel 'optimiser step'
set ylabel 'training loss'
set key outside right top Left reverse samplen 2
plot 'loss.dat' index 0 with lines lw 1.8 dt 1 lc rgb '#0072b2' title 'Synchronous, 0.2 s'
unset output
