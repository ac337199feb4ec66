# SPDX-License-Identifier: MIT
set title "How long until a line is visible: 1 producer, 1000 lines/s\n{/*0.8 box: half of the lines to 99 %; the tip: the last one}"
set logscale y
set ytics @times
set yrange [10:3e10]
set xrange [-0.6:5.6]
set boxwidth 0.22
set style fill solid 0.85 noborder
set key outside top center horizontal
set bmargin 4
set xtics ("file" 0, "pipe" 1, "terminal" 2, "serial line\n115200 baud" 3, "serial line\n9600 baud" 4, "pipe, reader\nstops" 5)
number(place) = place eq "file" ? 0 : place eq "pipe" ? 1 : place eq "terminal" ? 2 : place eq "serial_115200" ? 3 : place eq "serial_9600" ? 4 : 5
plot folder."/visible_written.dat" using (number(strcol(1)) - 0.26):2:2:4:3 with candlesticks lc rgb written title "snprintf and write(2)", \
     folder."/visible_direct.dat" using (number(strcol(1))):2:2:4:3 with candlesticks lc rgb direct title "lpk, direct", \
     folder."/visible_deferred.dat" using (number(strcol(1)) + 0.26):2:2:4:3 with candlesticks lc rgb deferred title "lpk, deferred", \
     folder."/visible_written.dat" using (number(strcol(1)) - 0.26):2 with points pt 7 ps 0.7 lc rgb "#333333" notitle, \
     folder."/visible_direct.dat" using (number(strcol(1))):2 with points pt 7 ps 0.7 lc rgb "#333333" notitle, \
     folder."/visible_deferred.dat" using (number(strcol(1)) + 0.26):2 with points pt 7 ps 0.7 lc rgb "#333333" notitle
