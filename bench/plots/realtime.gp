# SPDX-License-Identifier: MIT
set title "A SCHED_FIFO thread on a loaded machine: a call's time, median to maximum" noenhanced
set logscale y
set ytics @times
set yrange [10:*]
set style fill solid
set boxwidth 0.5
set xtics noenhanced
set xrange [-0.6:6.6]
set bmargin 3.5
unset key
plot folder."/realtime.dat" using 0:2:2:4:4:xtic(system("echo '".strcol(1)."' | tr _ ' ' | sed 's/, /\\n/'")) with candlesticks lw 2 lc rgb deferred, \
     folder."/realtime.dat" using 0:3 with points pt 2 ps 1.5 lc rgb direct
