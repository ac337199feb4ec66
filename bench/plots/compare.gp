# SPDX-License-Identifier: MIT
set title "How a call's time is distributed: int, int64, double; 1 producer; single calls in bursts of 20"
set logscale xy
set ytics @times
set xtics @shares
set yrange [10:*]
set xlabel "share of calls that take no longer"
set key outside right
names = "lpk lpk,_direct libqb_blackbox LTTng-UST spdlog,_async spdlog glog stdio write(2) syslog(3)"
paint(i) = word("#1f6fb2 #c0392b #2e8b57 #e08e0b #7d3c98 #b39ddb #8d6e63 #999999 #555555 #d81b60", i)
shown(i) = system("echo '".word(names, i)."' | tr _ ' '")
plot for [i = 1:words(names)] folder."/compare_".i.".dat" using 2:3 with steps \
	lw (i == 1 ? 4 : 2) lc rgb paint(i) title shown(i) noenhanced
