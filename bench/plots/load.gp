# SPDX-License-Identifier: MIT
# A panel for each console: the slowest call in a hundred against the load.
set multiplot layout 2,3 title "Slowest call in a hundred, against the lines a second that are offered (1 producer)"
set logscale y
set ytics @times
set yrange [10:1e9]
set xrange [-0.3:3.3]
set xtics ("100" 0, "1k" 1, "10k" 2, "flat out" 3)
set key off
at(offered) = offered == 0 ? 3 : log10(offered) - 2
do for [place in "file pipe terminal serial_115200 serial_9600"] {
	set title place[1:strstrt(place."_", "_") - 1]." ".place[strstrt(place."_", "_") + 1:*]
	plot folder."/load_direct_".place.".dat" using (at($1)):3 with linespoints lw 2 pt 7 ps 0.6 lc rgb direct title "direct", \
	     folder."/load_deferred_".place.".dat" using (at($1)):3 with linespoints lw 2 pt 7 ps 0.6 lc rgb deferred title "deferred", \
	     folder."/load_write(2)_".place.".dat" using (at($1)):3 with linespoints lw 1 pt 7 ps 0.4 lc rgb written title "write(2)"
}
unset title
unset border
unset tics
set key on center center
plot [0:1] [1:2] NaN with lines lw 3 lc rgb direct title "lpk, direct", NaN with lines lw 3 lc rgb deferred title "lpk, deferred", NaN with lines lw 3 lc rgb written title "snprintf and write(2)"
unset multiplot
