# SPDX-License-Identifier: MIT
# A panel for each console: the slowest call in a hundred against producers.
set multiplot layout 2,3 title "Slowest call in a hundred, against producers (1000 lines/s of all together; thin: flat out)"
set logscale y
set ytics @times
set yrange [10:1e9]
set logscale x 2
set xrange [0.8:20]
set xtics (1, 2, 4, 16)
set key off
do for [place in "file pipe terminal serial_115200 serial_9600"] {
	set title place[1:strstrt(place."_", "_") - 1]." ".place[strstrt(place."_", "_") + 1:*]
	plot for [mode in "direct deferred"] folder."/producers_".mode."_1000_".place.".dat" using 1:3 with linespoints lw 2 pt 7 ps 0.6 lc rgb (mode eq "direct" ? direct : deferred) title mode, \
	     for [mode in "direct deferred"] folder."/producers_".mode."_0_".place.".dat" using 1:3 with linespoints lw 1 pt 6 ps 0.5 dt 2 lc rgb (mode eq "direct" ? direct : deferred) title mode
}
unset title
unset border
unset tics
unset logscale
set key on center center
plot [0:1] [1:2] NaN with lines lw 3 lc rgb direct title "lpk, direct", NaN with lines lw 3 lc rgb deferred title "lpk, deferred"
unset multiplot
