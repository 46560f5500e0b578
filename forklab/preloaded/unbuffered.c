/* Whatever the C library's stdio prints on standard output is written at once: see
 * forklab/unbuffered.py.
 *
 * Each function that prints does what it always does, and then what it has left in the buffer is
 * written. So a printf is one write(2), as in a book. To take the buffer away would not do: puts()
 * would write its text, and then its newline.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* glibc prints by these where a program was compiled with _FORTIFY_SOURCE. */
int __printf_chk(int flag, const char *format, ...);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);
int __vprintf_chk(int flag, const char *format, va_list arguments);
int __vfprintf_chk(FILE *stream, int flag, const char *format, va_list arguments);

static void write_at_once(FILE *stream) {
    if (stream == stdout)
        fflush(stream);
}

#define PRINT(type, name, parameters, arguments, stream)                                           \
    type(name) parameters {                                                                        \
        type result = REAL(name) arguments;                                                        \
        write_at_once(stream);                                                                     \
        return result;                                                                             \
    }

PRINT(int, puts, (const char *text), (text), stdout)
PRINT(int, putchar, (int letter), (letter), stdout)
PRINT(int, putchar_unlocked, (int letter), (letter), stdout)
PRINT(int, putc, (int letter, FILE *stream), (letter, stream), stream)
PRINT(int, putc_unlocked, (int letter, FILE *stream), (letter, stream), stream)
PRINT(int, fputc, (int letter, FILE *stream), (letter, stream), stream)
PRINT(int, fputc_unlocked, (int letter, FILE *stream), (letter, stream), stream)
PRINT(int, fputs, (const char *text, FILE *stream), (text, stream), stream)
PRINT(int, fputs_unlocked, (const char *text, FILE *stream), (text, stream), stream)
PRINT(size_t, fwrite, (const void *from, size_t size, size_t count, FILE *stream),
      (from, size, count, stream), stream)
PRINT(size_t, fwrite_unlocked, (const void *from, size_t size, size_t count, FILE *stream),
      (from, size, count, stream), stream)
PRINT(int, vprintf, (const char *format, va_list arguments), (format, arguments), stdout)
PRINT(int, vfprintf, (FILE * stream, const char *format, va_list arguments),
      (stream, format, arguments), stream)
PRINT(int, __vprintf_chk, (int flag, const char *format, va_list arguments),
      (flag, format, arguments), stdout)
PRINT(int, __vfprintf_chk, (FILE * stream, int flag, const char *format, va_list arguments),
      (stream, flag, format, arguments), stream)
PRINT(wint_t, putwchar, (wchar_t letter), (letter), stdout)
PRINT(wint_t, fputwc, (wchar_t letter, FILE *stream), (letter, stream), stream)
PRINT(int, fputws, (const wchar_t *text, FILE *stream), (text, stream), stream)
PRINT(int, vwprintf, (const wchar_t *format, va_list arguments), (format, arguments), stdout)

#define FORMAT(name, parameters, call)                                                             \
    int name parameters {                                                                          \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        int result = call;                                                                         \
        va_end(arguments);                                                                         \
        return result;                                                                             \
    }

FORMAT(printf, (const char *format, ...), vprintf(format, arguments))
FORMAT(fprintf, (FILE * stream, const char *format, ...), vfprintf(stream, format, arguments))
FORMAT(wprintf, (const wchar_t *format, ...), vwprintf(format, arguments))
FORMAT(__printf_chk, (int flag, const char *format, ...), __vprintf_chk(flag, format, arguments))
FORMAT(__fprintf_chk, (FILE * stream, int flag, const char *format, ...),
       __vfprintf_chk(stream, flag, format, arguments))
