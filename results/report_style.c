/* report_style.c - the style sheet of the HTML report: report.css, part of the program. */
#include "results/report.h"

/* The assembler reads the file; the Makefile knows that this one depends on it. */
__asm__(".section .rodata\n.global report_style_css\nreport_style_css:\n"
	".incbin \"results/report.css\"\n.byte 0\n.previous\n");
