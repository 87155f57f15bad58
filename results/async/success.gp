# gnuplot success.gp   draws success.svg and success.png from success.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 1000,370 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'success.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals; paper: published scale' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.4
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bmargin 5
set bars 0.7
set tmargin 6.2
set yrange [5.6:0.4]
set ytics scale 0 ('Synchronous' 1, 'Asynchronous, g = 0.7' 2, 'LeRobot''s client and server, g = 0.5' 3, 'Real-time chunking' 4, 'A policy that takes no time' 5)
set xrange [-4:652]
set xtics ('0' 0, '50' 50, '100' 100, '0' 132, '50' 182, '100' 232, '0' 264, '50' 314, '100' 364, '0' 396, '50' 446, '100' 496)
set border 1
set xlabel 'episodes that succeed, %'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 25, graph 0 to 25, graph 1 nohead back lc rgb '#ececec'
set arrow from 50, graph 0 to 50, graph 1 nohead back lc rgb '#ececec'
set arrow from 75, graph 0 to 75, graph 1 nohead back lc rgb '#ececec'
set arrow from 100, graph 0 to 100, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 132, graph 0 to 132, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 157, graph 0 to 157, graph 1 nohead back lc rgb '#ececec'
set arrow from 182, graph 0 to 182, graph 1 nohead back lc rgb '#ececec'
set arrow from 207, graph 0 to 207, graph 1 nohead back lc rgb '#ececec'
set arrow from 232, graph 0 to 232, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 264, graph 0 to 264, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 289, graph 0 to 289, graph 1 nohead back lc rgb '#ececec'
set arrow from 314, graph 0 to 314, graph 1 nohead back lc rgb '#ececec'
set arrow from 339, graph 0 to 339, graph 1 nohead back lc rgb '#ececec'
set arrow from 364, graph 0 to 364, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 396, graph 0 to 396, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 421, graph 0 to 421, graph 1 nohead back lc rgb '#ececec'
set arrow from 446, graph 0 to 446, graph 1 nohead back lc rgb '#ececec'
set arrow from 471, graph 0 to 471, graph 1 nohead back lc rgb '#ececec'
set arrow from 496, graph 0 to 496, graph 1 nohead back lc rgb '#c8c8c8'
set label 'PickPlace' at 50, graph 1 offset 0,0.6 center
set label 'Stacking' at 182, graph 1 offset 0,0.6 center
set label 'Sorting' at 314, graph 1 offset 0,0.6 center
set label 'Avg' at 446, graph 1 offset 0,0.6 center
set label '52.0 %  78/150' at 511, 1 left tc rgb '#1b6ca8'
set label '56.7 %  85/150' at 511, 2 left tc rgb '#1b6ca8'
set label '60.7 %  91/150' at 511, 3 left tc rgb '#1b6ca8'
set label '48.0 %  72/150' at 511, 4 left tc rgb '#1b6ca8'
set label '56.7 %  85/150' at 511, 5 left tc rgb '#1b6ca8'
plot 'success.dat' index 1 using 2:1 with points ls 3 title 'one task', \
  '' index 0 using 2:1:3:4 with xerrorbars ls 1 title 'this program', \
  '' index 0 using 5:($1+0.2) with points ls 2 title 'paper'

reset
set terminal pngcairo size 2000,740 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'success.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; 95 % Wilson intervals; paper: published scale' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.1
set style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9
set style line 3 lc rgb '#9db4c0' pt 7 ps 0.4
set key at screen 0.98, screen 0 bottom right horizontal samplen 1
set bmargin 5
set bars 0.7
set tmargin 6.2
set yrange [5.6:0.4]
set ytics scale 0 ('Synchronous' 1, 'Asynchronous, g = 0.7' 2, 'LeRobot''s client and server, g = 0.5' 3, 'Real-time chunking' 4, 'A policy that takes no time' 5)
set xrange [-4:652]
set xtics ('0' 0, '50' 50, '100' 100, '0' 132, '50' 182, '100' 232, '0' 264, '50' 314, '100' 364, '0' 396, '50' 446, '100' 496)
set border 1
set xlabel 'episodes that succeed, %'
set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 25, graph 0 to 25, graph 1 nohead back lc rgb '#ececec'
set arrow from 50, graph 0 to 50, graph 1 nohead back lc rgb '#ececec'
set arrow from 75, graph 0 to 75, graph 1 nohead back lc rgb '#ececec'
set arrow from 100, graph 0 to 100, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 132, graph 0 to 132, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 157, graph 0 to 157, graph 1 nohead back lc rgb '#ececec'
set arrow from 182, graph 0 to 182, graph 1 nohead back lc rgb '#ececec'
set arrow from 207, graph 0 to 207, graph 1 nohead back lc rgb '#ececec'
set arrow from 232, graph 0 to 232, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 264, graph 0 to 264, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 289, graph 0 to 289, graph 1 nohead back lc rgb '#ececec'
set arrow from 314, graph 0 to 314, graph 1 nohead back lc rgb '#ececec'
set arrow from 339, graph 0 to 339, graph 1 nohead back lc rgb '#ececec'
set arrow from 364, graph 0 to 364, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 396, graph 0 to 396, graph 1 nohead back lc rgb '#c8c8c8'
set arrow from 421, graph 0 to 421, graph 1 nohead back lc rgb '#ececec'
set arrow from 446, graph 0 to 446, graph 1 nohead back lc rgb '#ececec'
set arrow from 471, graph 0 to 471, graph 1 nohead back lc rgb '#ececec'
set arrow from 496, graph 0 to 496, graph 1 nohead back lc rgb '#c8c8c8'
set label 'PickPlace' at 50, graph 1 offset 0,0.6 center
set label 'Stacking' at 182, graph 1 offset 0,0.6 center
set label 'Sorting' at 314, graph 1 offset 0,0.6 center
set label 'Avg' at 446, graph 1 offset 0,0.6 center
set label '52.0 %  78/150' at 511, 1 left tc rgb '#1b6ca8'
set label '56.7 %  85/150' at 511, 2 left tc rgb '#1b6ca8'
set label '60.7 %  91/150' at 511, 3 left tc rgb '#1b6ca8'
set label '48.0 %  72/150' at 511, 4 left tc rgb '#1b6ca8'
set label '56.7 %  85/150' at 511, 5 left tc rgb '#1b6ca8'
plot 'success.dat' index 1 using 2:1 with points ls 3 title 'one task', \
  '' index 0 using 2:1:3:4 with xerrorbars ls 1 title 'this program', \
  '' index 0 using 5:($1+0.2) with points ls 2 title 'paper'
unset output
