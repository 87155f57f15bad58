# gnuplot success.gp   draws success.svg and success.png from success.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 800,410 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'success.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.4
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bmargin 5
set bars 0.7
set tmargin 4.6
set yrange [6.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s' 1, 'Synchronous, 0.7 s' 2, 'Synchronous, 1.4 s' 3, 'Asynchronous, 0.2 s' 4, 'Asynchronous, 0.7 s' 5, 'Asynchronous, 1.4 s' 6)
set xrange [-4:158]
set xtics ('0' 0, '50' 50, '100' 100)
set border 1
set xlabel 'episodes that succeed, %'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 25, graph 0 to 25, graph 1 nohead back lc rgb '#ececec'
set arrow from 50, graph 0 to 50, graph 1 nohead back lc rgb '#ececec'
set arrow from 75, graph 0 to 75, graph 1 nohead back lc rgb '#ececec'
set arrow from 100, graph 0 to 100, graph 1 nohead back lc rgb '#c8c8c8'
set label '90.0 %  27/30' at 109, 1 left tc rgb '#1b6ca8'
set label '86.7 %  26/30' at 109, 2 left tc rgb '#1b6ca8'
set label '83.3 %  25/30' at 109, 3 left tc rgb '#1b6ca8'
set label '100.0 %  30/30' at 109, 4 left tc rgb '#1b6ca8'
set label '90.0 %  27/30' at 109, 5 left tc rgb '#1b6ca8'
set label '90.0 %  27/30' at 109, 6 left tc rgb '#1b6ca8'
plot 'success.dat' index 1 using 2:1 with points ls 3 title 'one task', \
  '' index 0 using 2:1:3:4 with xerrorbars ls 1 title 'this program'

reset
set terminal pngcairo size 1600,820 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'success.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Latency of inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.4
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bmargin 5
set bars 0.7
set tmargin 4.6
set yrange [6.6:0.4]
set ytics scale 0 ('Synchronous, 0.2 s' 1, 'Synchronous, 0.7 s' 2, 'Synchronous, 1.4 s' 3, 'Asynchronous, 0.2 s' 4, 'Asynchronous, 0.7 s' 5, 'Asynchronous, 1.4 s' 6)
set xrange [-4:158]
set xtics ('0' 0, '50' 50, '100' 100)
set border 1
set xlabel 'episodes that succeed, %'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 25, graph 0 to 25, graph 1 nohead back lc rgb '#ececec'
set arrow from 50, graph 0 to 50, graph 1 nohead back lc rgb '#ececec'
set arrow from 75, graph 0 to 75, graph 1 nohead back lc rgb '#ececec'
set arrow from 100, graph 0 to 100, graph 1 nohead back lc rgb '#c8c8c8'
set label '90.0 %  27/30' at 109, 1 left tc rgb '#1b6ca8'
set label '86.7 %  26/30' at 109, 2 left tc rgb '#1b6ca8'
set label '83.3 %  25/30' at 109, 3 left tc rgb '#1b6ca8'
set label '100.0 %  30/30' at 109, 4 left tc rgb '#1b6ca8'
set label '90.0 %  27/30' at 109, 5 left tc rgb '#1b6ca8'
set label '90.0 %  27/30' at 109, 6 left tc rgb '#1b6ca8'
plot 'success.dat' index 1 using 2:1 with points ls 3 title 'one task', \
  '' index 0 using 2:1:3:4 with xerrorbars ls 1 title 'this program'
unset output
