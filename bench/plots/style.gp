# SPDX-License-Identifier: MIT
# What all plots share. The caller sets terminal, output and folder (of data).
set border 3 lc rgb "#555555"
set tics nomirror out textcolor rgb "#333333"
set grid y lc rgb "#dddddd" lt 1
set key textcolor rgb "#333333" samplen 1.5 spacing 1.1
direct = "#c0392b"
deferred = "#1f6fb2"
written = "#999999"
array colour[6] = ["#1f6fb2", "#c0392b", "#e08e0b", "#2e8b57", "#7d3c98", "#555555"]
set macros
times = '("10 ns" 1e1, "100 ns" 1e2, "1 µs" 1e3, "10 µs" 1e4, "100 µs" 1e5, "1 ms" 1e6, "10 ms" 1e7, "100 ms" 1e8, "1 s" 1e9, "10 s" 1e10)'
shares = '("0" 1, "50 %%" 2, "90 %%" 10, "99 %%" 100, "99.9 %%" 1e3, "99.99 %%" 1e4, "99.999 %%" 1e5, "99.9999 %%" 1e6)'
