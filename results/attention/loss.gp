# gnuplot loss.gp   draws loss.svg and loss.png from loss.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 760,480 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'loss.svg'.suffix
set label 1 'How the action expert attends to the VLM: training loss' at graph 0, screen 0.955 left font ',15'
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set grid ytics lc rgb '#e4e4e4' lt 1
stats 'loss.dat' using 2 nooutput
set yrange [STATS_min / 1.1:STATS_max * 1.1]
set logscale y
set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)
set tmargin 3
set xlabel 'optimiser step'
set ylabel 'training loss' offset 0.5,0
set key top right samplen 2
plot 'loss.dat' index 0 with lines lw 1.8 lc rgb '#0072b2' title 'Cross-attention', \
  'loss.dat' index 1 with lines lw 1.8 lc rgb '#d55e00' title 'Self-attention', \
  'loss.dat' index 2 with lines lw 1.8 lc rgb '#009e73' title 'Interleaved'

reset
set terminal pngcairo size 1520,960 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'loss.png'.suffix
set label 1 'How the action expert attends to the VLM: training loss' at graph 0, screen 0.955 left font ',15'
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set grid ytics lc rgb '#e4e4e4' lt 1
stats 'loss.dat' using 2 nooutput
set yrange [STATS_min / 1.1:STATS_max * 1.1]
set logscale y
set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)
set tmargin 3
set xlabel 'optimiser step'
set ylabel 'training loss' offset 0.5,0
set key top right samplen 2
plot 'loss.dat' index 0 with lines lw 1.8 lc rgb '#0072b2' title 'Cross-attention', \
  'loss.dat' index 1 with lines lw 1.8 lc rgb '#d55e00' title 'Self-attention', \
  'loss.dat' index 2 with lines lw 1.8 lc rgb '#009e73' title 'Interleaved'
unset output
