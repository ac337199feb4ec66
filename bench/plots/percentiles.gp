# SPDX-License-Identifier: MIT
set title "How a call's time is distributed: 1 producer, 1000 lines/s; solid: direct, dashed: deferred"
set logscale xy
set ytics @times
set xtics @shares
set yrange [10:1e9]
set xlabel "share of calls that take no longer"
set key outside right
array place[6] = ["file", "pipe", "terminal", "serial_115200", "serial_9600", "hung"]
array shown[6] = ["file", "pipe", "terminal", "serial 115200", "serial 9600", "pipe, reader stops"]
plot for [i = 1:6] folder."/percentiles_direct_".place[i].".dat" using 2:3 with steps lw 2 lc rgb colour[i] title shown[i], \
     for [i = 1:6] folder."/percentiles_deferred_".place[i].".dat" using 2:3 with steps lw 2 dt 2 lc rgb colour[i] notitle
