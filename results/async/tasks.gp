# gnuplot tasks.gp   draws tasks.svg and tasks.png from tasks.dat
if (!exists('suffix')) suffix = ''

set terminal svg size 758,425 font 'DejaVu Sans,13' background 'white'
set termoption noenhanced
set output 'tasks.svg'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference: tasks' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; success of each task, %' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set palette defined (0 '#f7f4ee', 25 '#cfe1ec', 50 '#8bbcd9', 75 '#3b85b8', 100 '#0b3c6f')
set cbrange [0:100]
unset colorbox
unset key
set border 0
set xrange [0.5:5.5]
set x2range [0.5:5.5]
set yrange [3.5:0.5]
set tmargin 19.72
set rmargin 24.6
set bmargin 1
set ytics scale 0 ('so100/0' 1, 'so100/1' 2, 'so100/2' 3) font ',11'
set x2tics scale 0 ('Synchronous' 1, 'Asynchronous, g = 0.7' 2, 'LeRobot''s client and server, g = 0.5' 3, 'Real-time chunking' 4, 'A policy that takes no time' 5) rotate by 40 left offset -0.5,0
unset xtics
plot 'tasks.dat' using 1:2:3 with image pixels axes x2y1, \
  '' using 1:2:(sprintf('%.0f', $3)):($3 > 60 ? 0xffffff : 0x333333) axes x2y1 with labels font ',11' tc rgb variable

reset
set terminal pngcairo size 1516,850 font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2
set termoption noenhanced
set output 'tasks.png'.suffix
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.6
set label 1 'Synchronous and asynchronous inference: tasks' at screen 0.02, screen 1 offset 0,-1.3 left font ',15'
set label 2 'micro scale, freezing = nothing; success of each task, %' at screen 0.02, screen 1 offset 0,-2.7 left tc rgb '#555555'
set palette defined (0 '#f7f4ee', 25 '#cfe1ec', 50 '#8bbcd9', 75 '#3b85b8', 100 '#0b3c6f')
set cbrange [0:100]
unset colorbox
unset key
set border 0
set xrange [0.5:5.5]
set x2range [0.5:5.5]
set yrange [3.5:0.5]
set tmargin 19.72
set rmargin 24.6
set bmargin 1
set ytics scale 0 ('so100/0' 1, 'so100/1' 2, 'so100/2' 3) font ',11'
set x2tics scale 0 ('Synchronous' 1, 'Asynchronous, g = 0.7' 2, 'LeRobot''s client and server, g = 0.5' 3, 'Real-time chunking' 4, 'A policy that takes no time' 5) rotate by 40 left offset -0.5,0
unset xtics
plot 'tasks.dat' using 1:2:3 with image pixels axes x2y1, \
  '' using 1:2:(sprintf('%.0f', $3)):($3 > 60 ? 0xffffff : 0x333333) axes x2y1 with labels font ',11' tc rgb variable
unset output
