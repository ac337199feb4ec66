# SPDX-License-Identifier: MIT
set title "A call inside a signal handler that interrupts logging: 1 producer, two timers"
set logscale xy
set ytics @times
set xtics @shares
set yrange [10:1e8]
set xlabel "share of calls that take no longer"
set key top left
set rmargin 5
array hertz[4] = ["1000", "5000", "10000", "20000"]
plot for [i = 1:4] folder."/any_context_".hertz[i].".dat" using 2:3 with steps lw 2 lc rgb colour[i] title hertz[i]." signals/s of each"
