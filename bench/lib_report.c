/* SPDX-License-Identifier: MIT */
/*
 * lib_report.c - figures as a table for people and as JSON for programs. A
 * figure over its target is marked with an asterisk, never hidden.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib_bench.h"

#define FIGURES_MAX 512
#define NOTES_MAX 16

struct bench_options bench_options;

static struct bench_figure figures[FIGURES_MAX];
static size_t figure_count;
static char notes[NOTES_MAX][256];
static size_t note_count;
static struct {
	const char *name;
	const char *by;
} ratios[FIGURES_MAX];
static size_t ratio_count;

static const double shares[] = {0.5, 0.9, 0.99, 0.999, 0.9999, 1};
static const char *const share_names[] = {
    "p50", "p90", "p99", "p99.9", "p99.99", "max"};
#define SHARES (sizeof(shares) / sizeof(shares[0]))
static const char *const stat_names[] = {"mean", "p50", "p99.9", "value"};

void
bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
bench_init(const char *program)
{
	const char *quick = getenv("QUICK");
	const char *out = getenv("BENCH_OUT");

	bench_options.quick =
	    quick != NULL && quick[0] != '\0' && quick[0] != '0';
	bench_options.out = out != NULL ? out : "bench/out";
	bench_options.program = program;
	if (mkdir(bench_options.out, 0777) != 0 && errno != EEXIST)
		bench_die(bench_options.out);
	bench_pin(0);
	bench_clock_init();
}

unsigned long
bench_count(unsigned long full, unsigned long quick)
{
	return bench_options.quick ? quick : full;
}

void
bench_note(const char *format, ...)
{
	va_list arguments;

	if (note_count == NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(notes[note_count++], sizeof(notes[0]), format, arguments);
	va_end(arguments);
}

void
bench_progress(const char *format, ...)
{
	static uint64_t begin;
	va_list arguments;
	bool terminal = isatty(STDERR_FILENO);

	if (begin == 0)
		begin = bench_now_ns();
	fprintf(stderr, "%s%s %4.0f s  ", terminal ? "\r\033[K" : "",
	    bench_options.program, (double)(bench_now_ns() - begin) / 1e9);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(terminal ? "" : "\n", stderr);
	fflush(stderr);
}

void
bench_add(const struct bench_figure *figure)
{
	if (figure_count < FIGURES_MAX)
		figures[figure_count++] = *figure;
}

void
bench_ratio(const char *name, const char *by)
{
	if (ratio_count == FIGURES_MAX)
		return;
	ratios[ratio_count].name = name;
	ratios[ratio_count++].by = by;
}

/* Ticks of one sample as ns of one call, without the timer's own. */
static double
in_ns(const struct bench_figure *figure, double ticks)
{
	ticks -= bench_clock.overhead;
	return ticks < 0 ? 0 : ticks * bench_clock.ns / figure->per;
}

static double
figure_mean(const struct bench_figure *figure)
{
	if (figure->hist == NULL)
		return figure->values[0];
	return in_ns(figure, bench_hist_mean(figure->hist));
}

static double
figure_at(const struct bench_figure *figure, double share)
{
	return in_ns(figure, bench_hist_at(figure->hist, share));
}

/* p99.9 of a hundred samples says nothing: it is their maximum. */
static bool
figure_has(const struct bench_figure *figure, double share)
{
	double beyond = (double)figure->hist->count * (1 - share);

	return figure->hist->count != 0 && (share >= 1 || beyond >= 0.999);
}

static double
figure_stat(const struct bench_figure *figure, enum bench_stat stat)
{
	switch (stat) {
	case BENCH_P50:
		return figure_at(figure, 0.5);
	case BENCH_P999:
		return figure_at(figure, 0.999);
	case BENCH_MEAN:
	case BENCH_VALUE:
		break;
	}
	return figure_mean(figure);
}

static bool
target_met(const struct bench_figure *figure, const struct bench_target *target)
{
	double value = figure_stat(figure, target->stat);

	return target->at_least ? value >= target->limit :
				  value <= target->limit;
}

static void
print_targets(FILE *to, const struct bench_figure *figure)
{
	size_t i;

	for (i = 0; i < BENCH_TARGETS; i++) {
		const struct bench_target *target = &figure->targets[i];

		if (target->limit == 0)
			continue;
		fprintf(to, "  %s%s %s %g",
		    target_met(figure, target) ? "" : "*",
		    stat_names[target->stat],
		    target->at_least ? ">=" : "<=", target->limit);
	}
}

static void
print_value(FILE *to, double value)
{
	if (value >= 99999499.5)
		fprintf(to, "%7.0fM", value / 1000000);
	else if (value >= 99999.5)
		fprintf(to, "%7.0fk", value / 1000);
	else
		fprintf(to, value < 99.95 ? "%8.1f" : "%8.0f", value);
}

static void
print_latency(FILE *to, const struct bench_figure *figure)
{
	size_t i;

	fprintf(to, "  %-31s %-5s", figure->kind,
	    figure->cpus != NULL ? figure->cpus : "");
	print_value(to, figure_mean(figure));
	for (i = 0; i < SHARES; i++) {
		if (figure_has(figure, shares[i]))
			print_value(to, figure_at(figure, shares[i]));
		else
			fprintf(to, "%8s", "-");
	}
	if (figure->best != 0)
		print_value(to, in_ns(figure, figure->best));
	else
		fprintf(to, "%8s", "-");
	fprintf(to, " %5.0f/%-3.0f", (double)figure->usage.minor_faults,
	    (double)figure->usage.major_faults);
	fprintf(to, " %7.0f %6.0f", (double)figure->usage.preempted,
	    (double)(figure->lost + figure->dropped));
	print_targets(to, figure);
	fprintf(to, "%s%s\n", figure->remark != NULL ? "  " : "",
	    figure->remark != NULL ? figure->remark : "");
}

static void
print_scalar(FILE *to, const struct bench_figure *figure)
{
	fprintf(to, "  %-31s %-5s %11.6g  (%.6g to %.6g) %s", figure->kind,
	    figure->cpus != NULL ? figure->cpus : "", figure->values[0],
	    figure->values[1], figure->values[2], figure->unit);
	if (figure->calls != 0)
		fprintf(to, ", %.0f lost, faults %.0f/%.0f",
		    (double)(figure->lost + figure->dropped),
		    (double)figure->usage.minor_faults,
		    (double)figure->usage.major_faults);
	print_targets(to, figure);
	fprintf(to, "%s%s\n", figure->remark != NULL ? "  " : "",
	    figure->remark != NULL ? figure->remark : "");
}

static void
say_text(void *to, const char *key, const char *value)
{
	fprintf(to, "  %-9s %s\n", key, value);
}

static void
print_group(FILE *to, const char *group)
{
	size_t i;

	fprintf(to, "\n%s\n", group);
	for (i = 0; i < figure_count &&
	     (strcmp(figures[i].group, group) != 0 || figures[i].hist == NULL);
	     i++)
		;
	if (i != figure_count)
		fprintf(to,
		    "  %-31s %-5s%8s%8s%8s%8s%8s%8s%8s%8s %9s %7s %6s"
		    "  target\n",
		    "ns a call", "CPU", "mean", "p50", "p90", "p99", "p99.9",
		    "p99.99", "max", "best", "faults", "preempt", "lost");
	for (i = 0; i < figure_count; i++) {
		if (strcmp(figures[i].group, group) != 0)
			continue;
		if (i == 0 || strcmp(figures[i].name, figures[i - 1].name) != 0)
			fprintf(to, " %s%s%s\n", figures[i].name,
			    figures[i].note != NULL ? ": " : "",
			    figures[i].note != NULL ? figures[i].note : "");
		if (figures[i].hist != NULL)
			print_latency(to, &figures[i]);
		else
			print_scalar(to, &figures[i]);
	}
}

static const struct bench_figure *
figure_named(const char *name)
{
	size_t i;

	for (i = 0; i < figure_count; i++) {
		if (strcmp(figures[i].name, name) == 0 &&
		    (figures[i].hist == NULL || figures[i].per > 1))
			return &figures[i];
	}
	return NULL;
}

static double
ratio_part(const char *name)
{
	const struct bench_figure *figure = figure_named(name);

	if (figure == NULL)
		return 0;
	return figure->hist != NULL ? figure_at(figure, 0.5) :
				      figure->values[0];
}

static double
ratio_of(size_t i)
{
	double by = ratio_part(ratios[i].by);

	return by > 0 ? ratio_part(ratios[i].name) / by : 0;
}

static void
print_table(FILE *to)
{
	size_t i, k;

	fprintf(to, "\n%s%s\n", bench_options.program,
	    bench_options.quick ? " (quick)" : "");
	bench_environment(say_text, to);
	for (i = 0; i < note_count; i++)
		fprintf(to, "  - %s\n", notes[i]);
	for (i = 0; i < figure_count; i++) {
		for (k = 0; k < i; k++) {
			if (strcmp(figures[i].group, figures[k].group) == 0)
				break;
		}
		if (k == i)
			print_group(to, figures[i].group);
	}
	if (ratio_count != 0)
		fputs("\nRatios (medians of batches)\n", to);
	for (i = 0; i < ratio_count; i++)
		fprintf(to, "  %8.2f  %s / %s\n", ratio_of(i), ratios[i].name,
		    ratios[i].by);
}

/* ------------------------------------------------------------------------
 * JSON
 */

static void
json_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if ((unsigned char)*text >= 0x20)
			fputc(*text, to);
	}
	fputc('"', to);
}

static void
json_pair(FILE *to, const char *key, const char *value)
{
	json_string(to, key);
	fputs(": ", to);
	json_string(to, value != NULL ? value : "");
	fputs(", ", to);
}

static void
say_json(void *to, const char *key, const char *value)
{
	fputs("    ", to);
	json_pair(to, key, value);
	fputs("\n", to);
}

/*
 * [share, ns] in steps as HdrHistogram prints them: five to each halving of
 * what is left above.
 */
static void
json_curve(FILE *to, const struct bench_figure *figure)
{
	double left = 1, share = 0;
	int step;

	fputs("\"curve\": [", to);
	for (step = 1; step < 200 && figure_has(figure, share); step++) {
		fprintf(to, "[%.9g, %.6g], ", share, figure_at(figure, share));
		share = 1 - left + left / 2 * (step % 5) / 5;
		if (step % 5 == 0) {
			left /= 2;
			share = 1 - left;
		}
	}
	fprintf(to, "[1, %.6g]], ", figure_at(figure, 1));
}

static void
json_values(FILE *to, const struct bench_figure *figure)
{
	size_t i;

	if (figure->hist == NULL) {
		fprintf(to, "\"median\": %.9g, \"min\": %.9g, \"max\": %.9g, ",
		    figure->values[0], figure->values[1], figure->values[2]);
		return;
	}
	fprintf(to,
	    "\"samples\": %.0f, \"calls_per_sample\": %u, "
	    "\"mean\": %.3f, \"min\": %.3f, ",
	    (double)figure->hist->count, figure->per, figure_mean(figure),
	    in_ns(figure, (double)figure->hist->min));
	for (i = 0; i < SHARES; i++) {
		if (figure_has(figure, shares[i]))
			fprintf(to, "\"%s\": %.3f, ", share_names[i],
			    figure_at(figure, shares[i]));
		else
			fprintf(to, "\"%s\": null, ", share_names[i]);
	}
	if (figure->curve)
		json_curve(to, figure);
}

static void
json_figure(FILE *to, const struct bench_figure *figure)
{
	const char *comma = "";
	size_t i;

	fputs("    {", to);
	json_pair(to, "group", figure->group);
	json_pair(to, "name", figure->name);
	json_pair(to, "kind", figure->kind);
	json_pair(to, "unit", figure->unit != NULL ? figure->unit : "ns");
	json_pair(to, "cpus", figure->cpus);
	json_pair(to, "note", figure->note);
	json_pair(to, "remark", figure->remark);
	if (figure->tags != NULL)
		fprintf(to, "%s, ", figure->tags);
	json_values(to, figure);
	fprintf(to,
	    "\"calls\": %.0f, \"lost\": %.0f, \"dropped\": %.0f, "
	    "\"minor_faults\": %.0f, \"major_faults\": %.0f, "
	    "\"preempted\": %.0f, \"targets\": [",
	    (double)figure->calls, (double)figure->lost,
	    (double)figure->dropped, (double)figure->usage.minor_faults,
	    (double)figure->usage.major_faults,
	    (double)figure->usage.preempted);
	for (i = 0; i < BENCH_TARGETS; i++) {
		const struct bench_target *target = &figure->targets[i];

		if (target->limit == 0)
			continue;
		fprintf(to, "%s{\"stat\": \"%s\", \"%s\": %g, \"met\": %s}",
		    comma, stat_names[target->stat],
		    target->at_least ? "at_least" : "at_most", target->limit,
		    target_met(figure, target) ? "true" : "false");
		comma = ", ";
	}
	fputs("]}", to);
}

static void
write_json(FILE *to)
{
	size_t i;

	fputs("{\n  \"environment\": {\n", to);
	bench_environment(say_json, to);
	fprintf(to, "    \"quick\": %s,\n    \"notes\": [",
	    bench_options.quick ? "true" : "false");
	for (i = 0; i < note_count; i++) {
		fputs(i == 0 ? "" : ", ", to);
		json_string(to, notes[i]);
	}
	fputs("]\n  },\n  \"figures\": [\n", to);
	for (i = 0; i < figure_count; i++) {
		json_figure(to, &figures[i]);
		fputs(i + 1 == figure_count ? "\n" : ",\n", to);
	}
	fputs("  ],\n  \"ratios\": [\n", to);
	for (i = 0; i < ratio_count; i++) {
		fputs("    {", to);
		json_pair(to, "name", ratios[i].name);
		json_pair(to, "by", ratios[i].by);
		fprintf(to, "\"ratio\": %.4f}%s\n", ratio_of(i),
		    i + 1 == ratio_count ? "" : ",");
	}
	fputs("  ]\n}\n", to);
}

static void
write_file(const char *suffix, void (*print)(FILE *to))
{
	char path[512];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s.%s", bench_options.out,
	    bench_options.program, suffix);
	to = fopen(path, "we");
	if (to == NULL)
		bench_die(path);
	print(to);
	if (fclose(to) != 0)
		bench_die(path);
}

int
bench_report(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	print_table(stdout);
	write_file("json", write_json);
	write_file("txt", print_table);
	return 0;
}
