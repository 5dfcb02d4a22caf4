/*
 * Surfaces by extension, and the document as bytes in memory until it is whole: a chart that fails leaves no file
 * behind, and what cairo varies from call to call can be evened out.
 */
#include "chart/canvas.h"

#include "base/error.h"
#include "format/output_file.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <string.h>

enum { MIN_SIDE = 64, MAX_SIDE = 16384 };
static const size_t MAX_DOCUMENT_BYTES = (size_t)1 << 30;

static cairo_status_t
append(void *closure, const unsigned char *data, unsigned int length)
{
	struct perseus__text *bytes = closure;
	perseus__text_add(bytes, (const char *)data, length);
	return bytes->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *
open_svg(struct perseus__text *bytes, const char *title, int32_t width, int32_t height)
{
	(void)title; /* cairo writes none */
	cairo_surface_t *surface = cairo_svg_surface_create_for_stream(append, bytes, width, height);
	cairo_svg_surface_restrict_to_version(surface, CAIRO_SVG_VERSION_1_1);
	return surface;
}

static cairo_surface_t *
open_png(struct perseus__text *bytes, const char *title, int32_t width, int32_t height)
{
	(void)bytes; /* written at the end */
	(void)title;
	return cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
}

static cairo_surface_t *
open_pdf(struct perseus__text *bytes, const char *title, int32_t width, int32_t height)
{
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(append, bytes, width, height);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
	/* The wall clock would make every file differ; a date before PDF itself says that none is meant. */
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "1970-01-01T00:00:00Z");
	return surface;
}

static const struct format {
	const char *extension;
	cairo_surface_t *(*open)(struct perseus__text *bytes, const char *title, int32_t width, int32_t height);
	bool is_raster;
} formats[] = {
	{"svg", open_svg, false},
	{"png", open_png, true},
	{"pdf", open_pdf, false},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

/* ASCII only, whatever the locale. */
static bool
same_word(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		const char lower = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;
		if (lower != *b)
			return false;
	}
	return *a == *b;
}

static enum perseus_status
find_format(const char *path, int32_t *format, struct perseus_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	for (int32_t i = 0; dot && i < N_FORMATS; i++)
		if (same_word(dot + 1, formats[i].extension)) {
			*format = i;
			return PERSEUS_OK;
		}
	if (!dot)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s: a chart needs an extension that says its format: .svg, .png or .pdf", path);
	return perseus__fail(
			err, PERSEUS_INVALID, "%s: unknown chart format \"%s\"; known are .svg, .png and .pdf", path, dot);
}

struct perseus__chart_options
perseus__chart_options(const struct perseus__chart_options *options, const char *title, int32_t height)
{
	struct perseus__chart_options chosen = options ? *options : (struct perseus__chart_options){0};
	chosen.title = chosen.title ? chosen.title : title;
	chosen.width = chosen.width ? chosen.width : PERSEUS__CHART_WIDTH;
	chosen.height = chosen.height ? chosen.height : height;
	chosen.energy_scale = chosen.energy_scale > 0 ? chosen.energy_scale : 1;
	return chosen;
}

enum perseus_status
perseus__chart_path_check(const char *path, struct perseus_error *err)
{
	int32_t format;
	return find_format(path, &format, err);
}

static enum perseus_status
cairo_failed(const char *path, cairo_status_t status, struct perseus_error *err)
{
	if (status == CAIRO_STATUS_NO_MEMORY)
		return perseus__no_memory(err);
	if (status == CAIRO_STATUS_INVALID_STRING)
		return perseus__fail(err, PERSEUS_INVALID, "%s: cannot draw: a title or label is not UTF-8", path);
	return perseus__fail(err, PERSEUS_IO, "%s: cannot draw: %s", path, cairo_status_to_string(status));
}

/* Text must measure alike on every surface, so that a chart is laid out alike in every format. */
static void
set_font_options(cairo_t *cr)
{
	cairo_font_options_t *options = cairo_font_options_create();
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_set_font_options(cr, options);
	cairo_font_options_destroy(options);
}

enum perseus_status
perseus__canvas_init(struct perseus__canvas *canvas, const char *path, const struct perseus__chart_options *options,
		struct perseus_error *err)
{
	const int32_t width = options->width, height = options->height;
	int32_t format = 0;
	enum perseus_status status = find_format(path, &format, err);
	if (status != PERSEUS_OK)
		return status;
	if (width < MIN_SIDE || width > MAX_SIDE || height < MIN_SIDE || height > MAX_SIDE)
		return perseus__fail(err, PERSEUS_INVALID, "%s: a chart of %d x %d is not possible; each side is in %d..%d",
				path, (int)width, (int)height, MIN_SIDE, MAX_SIDE);
	const double unit = fmin(width / (double)PERSEUS__CHART_WIDTH, height / (double)PERSEUS__CHART_HEIGHT);
	*canvas = (struct perseus__canvas){
		.path = path,
		.width = width / unit,
		.height = height / unit,
		.format = format,
		.bytes = perseus__text_init(MAX_DOCUMENT_BYTES),
	};
	cairo_surface_t *surface = formats[format].open(&canvas->bytes, options->title, width, height);
	canvas->cr = cairo_create(surface);
	cairo_surface_destroy(surface); /* the context holds it */
	set_font_options(canvas->cr);
	cairo_scale(canvas->cr, unit, unit);
	perseus__fill_rect(canvas->cr, (struct perseus__rect){0, 0, canvas->width, canvas->height}, perseus__paper);
	if (cairo_status(canvas->cr) == CAIRO_STATUS_SUCCESS)
		return PERSEUS_OK;
	status = cairo_failed(path, cairo_status(canvas->cr), err);
	perseus__canvas_fini(canvas);
	return status;
}

/*
 * cairo numbers a surface by how many the process had before and writes that number into SVG as an id that nothing
 * refers to; it becomes 0 here.
 */
static void
even_out_ids(struct perseus__text *bytes)
{
	static const char prefix[] = "id=\"surface";
	if (bytes->length == 0)
		return;
	char *to = bytes->bytes;
	const char *from = bytes->bytes;
	for (;;) {
		const char *found = strstr(from, prefix);
		const size_t length = found ? (size_t)(found - from) + sizeof prefix - 1 : strlen(from);
		memmove(to, from, length);
		to += length;
		from += length;
		if (!found)
			break;
		*to++ = '0';
		while (*from >= '0' && *from <= '9')
			from++;
	}
	*to = '\0';
	bytes->length = (size_t)(to - bytes->bytes);
}

enum perseus_status
perseus__canvas_write(struct perseus__canvas *canvas, struct perseus_error *err)
{
	cairo_surface_t *surface = cairo_get_target(canvas->cr);
	cairo_status_t drawn = cairo_status(canvas->cr);
	if (drawn == CAIRO_STATUS_SUCCESS && formats[canvas->format].is_raster)
		drawn = cairo_surface_write_to_png_stream(surface, append, &canvas->bytes);
	cairo_surface_finish(surface);
	if (drawn == CAIRO_STATUS_SUCCESS)
		drawn = cairo_surface_status(surface);
	if (canvas->bytes.failed)
		return perseus__no_memory(err);
	if (drawn != CAIRO_STATUS_SUCCESS)
		return cairo_failed(canvas->path, drawn, err);
	if (formats[canvas->format].open == open_svg)
		even_out_ids(&canvas->bytes);
	return perseus__output_file(canvas->path, canvas->bytes.bytes, canvas->bytes.length, err);
}

void
perseus__canvas_fini(struct perseus__canvas *canvas)
{
	if (canvas->cr) {
		cairo_surface_finish(cairo_get_target(canvas->cr)); /* it may still write into bytes */
		cairo_destroy(canvas->cr);
	}
	perseus__text_fini(&canvas->bytes);
	*canvas = (struct perseus__canvas){0};
}
