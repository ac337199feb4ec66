# SPDX-License-Identifier: MIT
set multiplot layout 1,2 title "One of three consoles does not return from its write"
set logscale xy
set ytics @times
set xtics @shares rotate by -40
set yrange [10:3e10]
set key bottom right
set rmargin 9
set xlabel "share that takes no longer"
set title "A call (2 producers, 10000 lines/s)"
plot folder."/stuck_call_works.dat" using 2:3 with steps lw 2 lc rgb deferred title "all three work", \
     folder."/stuck_call_hangs.dat" using 2:3 with steps lw 2 lc rgb direct title "one hangs"
set title "Until a line is visible"
plot folder."/stuck_pipe_works.dat" using 2:3 with steps lw 2 lc rgb deferred title "a pipe, all three work", \
     folder."/stuck_pipe_hangs.dat" using 2:3 with steps lw 2 lc rgb direct title "a pipe, another one hangs", \
     folder."/stuck_stuck_hangs.dat" using 2:3 with steps lw 1 lc rgb written title "the one that hangs"
unset multiplot
