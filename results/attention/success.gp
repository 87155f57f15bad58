# gnuplot success.gp   draws success.svg and success.png from success.dat and tasks.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 960,520 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'success.svg'.suffix
set label 1 'How the action expert attends to the VLM' at graph 0, screen 0.95 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals; paper: published scale' at graph 0, screen 0.89 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 3 pt 7 ps 1.5
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 1.6
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.55
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set ytics 20 format '%g %%'
set grid ytics lc rgb '#e4e4e4' lt 1
set yrange [-3:112]
set ylabel 'episodes that succeed' offset 0.5,0
set key outside bottom center horizontal Left reverse samplen 1.2
set bmargin 6.5
set tmargin 4.5
set bars 1.2
set xrange [0.5:4.5]
plot 'tasks.dat' using 1:2 with points ls 3 title 'one task', \
  'success.dat' using 1:3:4:5:xtic(sprintf("%s\n%d/%d", strcol(2), $7, $8)) with yerrorbars ls 1 title 'this program', \
  '' using 1:($5+4):(sprintf('%.1f %%', $3)) with labels tc rgb '#1b6ca8' notitle, \
  '' using ($1+0.16):6 with points ls 2 title 'paper, Spatial'

reset
set terminal pngcairo size 1920,1040 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'success.png'.suffix
set label 1 'How the action expert attends to the VLM' at graph 0, screen 0.95 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals; paper: published scale' at graph 0, screen 0.89 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 3 pt 7 ps 1.5
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 1.6
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.55
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set ytics 20 format '%g %%'
set grid ytics lc rgb '#e4e4e4' lt 1
set yrange [-3:112]
set ylabel 'episodes that succeed' offset 0.5,0
set key outside bottom center horizontal Left reverse samplen 1.2
set bmargin 6.5
set tmargin 4.5
set bars 1.2
set xrange [0.5:4.5]
plot 'tasks.dat' using 1:2 with points ls 3 title 'one task', \
  'success.dat' using 1:3:4:5:xtic(sprintf("%s\n%d/%d", strcol(2), $7, $8)) with yerrorbars ls 1 title 'this program', \
  '' using 1:($5+4):(sprintf('%.1f %%', $3)) with labels tc rgb '#1b6ca8' notitle, \
  '' using ($1+0.16):6 with points ls 2 title 'paper, Spatial'
unset output
