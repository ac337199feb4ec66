# SPDX-License-Identifier: MIT
set title "Lines lost at ten times what the console takes, by size of the ring"
set logscale x 2
set format x "%.0b %BB"
set xtics rotate by -30
set yrange [0:100]
set format y "%g %%"
set key bottom left
set rmargin 5
plot folder."/overload.dat" using 1:2 with linespoints lw 2 pt 7 ps 0.7 lc rgb direct title "missing in the output", \
     folder."/overload.dat" using 1:3 with points pt 6 ps 1.6 lw 2 lc rgb deferred title "reported by \"** N printk messages dropped **\""
