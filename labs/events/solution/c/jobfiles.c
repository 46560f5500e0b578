#include "jobfiles.h"

#include <dirent.h>
#include <err.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE = 1, MOST_TOKENS = 128 };

/* The words of one line, and how far they are read. */
struct line {
    char *words[MOST_TOKENS + 1];
    size_t length, next;
    const char *flaw; /* NULL as long as there is none */
};

static void *checked(void *memory) {
    if (memory == NULL) {
        err(TROUBLE, "no memory");
    }
    return memory;
}

bool fits(const struct condition *match, const char *event, char **variables) {
    if (strcmp(match->event, event) != 0) {
        return false;
    }
    size_t count = 0;
    while (variables[count] != NULL) {
        count++;
    }
    for (size_t place = 0; match->values[place] != NULL; place++) {
        const char *pattern = match->values[place];
        const char *equals = strchr(pattern, '=');
        const char *value = "";
        if (equals == NULL) {
            const char *named = place < count ? strchr(variables[place], '=') : NULL;
            value = named != NULL ? named + 1 : "";
        } else {
            size_t key = (size_t)(equals - pattern) + 1; /* with its = */
            for (size_t i = 0; i < count; i++) {
                if (strncmp(variables[i], pattern, key) == 0) {
                    value = variables[i] + key;
                }
            }
            pattern = equals + 1;
        }
        if (fnmatch(pattern, value, 0) != 0) {
            return false;
        }
    }
    return true;
}

/* Splits at blanks; parentheses are words of their own where they are asked for. */
static void split(struct line *line, const char *text, bool parentheses) {
    memset(line, 0, sizeof *line);
    const char *blanks = " \t\r\n", *ends = parentheses ? " \t\r\n()" : blanks;
    for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
        size_t length = strcspn(text, ends);
        if (length == 0) {
            length = 1; /* a parenthesis */
        }
        if (line->length == MOST_TOKENS) {
            line->flaw = "too many words";
            return;
        }
        line->words[line->length++] = checked(strndup(text, length));
        text += length;
    }
}

static const char *word(const struct line *line) {
    return line->next < line->length ? line->words[line->next] : "";
}

static bool take(struct line *line, const char *wanted) {
    bool is_there = line->next < line->length && strcmp(word(line), wanted) == 0;
    line->next += is_there;
    return is_there;
}

static bool ends_a_match(const char *word) {
    return *word == '\0' || strcmp(word, "and") == 0 || strcmp(word, "or") == 0 ||
           strcmp(word, "(") == 0 || strcmp(word, ")") == 0;
}

static struct condition *several(struct line *line);

static struct condition *one(struct line *line) {
    if (take(line, "(")) {
        struct condition *inner = several(line);
        if (!take(line, ")")) {
            line->flaw = "a ) is missing";
        }
        return inner;
    }
    if (ends_a_match(word(line))) {
        line->flaw = "an event is missing";
        return NULL;
    }
    struct condition *match = checked(calloc(1, sizeof *match));
    match->event = line->words[line->next++];
    for (size_t i = 0; !ends_a_match(word(line)); line->next++) {
        if (i == MOST_WORDS - 1) {
            line->flaw = "too many values";
            break;
        }
        match->values[i++] = line->words[line->next];
    }
    return match;
}

/* `and` and `or` bind alike, from the left. Parentheses say it otherwise. */
static struct condition *several(struct line *line) {
    struct condition *tree = one(line);
    while (line->flaw == NULL) {
        bool both = take(line, "and");
        if (!both && !take(line, "or")) {
            break;
        }
        struct condition *above = checked(calloc(1, sizeof *above));
        above->kind = both ? BOTH : EITHER;
        above->left = tree;
        above->right = one(line);
        tree = above;
    }
    return tree;
}

static struct condition *condition_in(struct line *line, const char *text) {
    split(line, text, true);
    line->next = 2; /* start on, stop on */
    struct condition *tree = several(line);
    if (line->flaw == NULL && line->next < line->length) {
        line->flaw = "what is its end doing here?";
    }
    return tree;
}

static double number(struct line *line) {
    char *end;
    double value = strtod(word(line), &end);
    if (*word(line) == '\0' || *end != '\0' || !(value >= 0)) {
        line->flaw = "a number is missing";
    }
    line->next++;
    return value;
}

static void command(struct line *line, char **words) {
    size_t count = line->length - line->next;
    if (count == 0 || count >= MOST_WORDS) {
        line->flaw = count == 0 ? "a command is missing" : "too many words";
        return;
    }
    memcpy(words, line->words + line->next, (count + 1) * sizeof *words);
}

static const char *take_line(struct job_file *job, char *text) {
    struct line line;
    text[strcspn(text, "#\n")] = '\0';
    split(&line, text, false);
    if (line.length == 0 || take(&line, "description") || take(&line, "author") ||
        take(&line, "version")) {
        return NULL; /* nothing, or words for people */
    }
    if (take(&line, "start") && take(&line, "on")) {
        job->start_on = condition_in(&line, text);
    } else if (take(&line, "stop") && take(&line, "on")) {
        job->stop_on = condition_in(&line, text);
    } else if (take(&line, "respawn")) {
        if (take(&line, "limit")) {
            job->limit = (int)number(&line);
            job->interval = number(&line);
        } else {
            job->respawn = true;
        }
    } else if (take(&line, "expect")) {
        job->expect = take(&line, "fork") ? FORK : take(&line, "daemon") ? DAEMON : NOTHING;
        line.flaw = job->expect == NOTHING ? "expect fork, or expect daemon" : NULL;
    } else if (take(&line, "kill") && take(&line, "timeout")) {
        job->kill_timeout = number(&line);
    } else if (take(&line, "pre-start") && take(&line, "exec")) {
        command(&line, job->pre_start);
    } else if (take(&line, "exec")) {
        command(&line, job->command);
    } else {
        line.flaw = "not understood";
    }
    return line.flaw;
}

static bool take_file(struct job_file *job, const char *folder, const char *name) {
    char path[4096], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        warn("%s", name);
        return false;
    }
    size_t room = 0;
    bool good = true;
    for (int number = 1; getline(&text, &room, file) >= 0; number++) {
        const char *flaw = take_line(job, text);
        if (flaw != NULL) {
            warnx("%s: line %d: %s", name, number, flaw);
            good = false;
        }
    }
    if (good && job->command[0] == NULL) {
        warnx("%s: it has no line exec", name);
        good = false;
    }
    free(text);
    fclose(file);
    return good;
}

static int is_job_file(const struct dirent *entry) {
    const char *ending = strrchr(entry->d_name, '.');
    return ending != NULL && ending != entry->d_name && strcmp(ending, ".conf") == 0;
}

struct job_file *read_folder(const char *folder, size_t *how_many) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_job_file, alphasort);
    if (count < 0) {
        err(TROUBLE, "%s", folder);
    }
    struct job_file *jobs = checked(calloc((size_t)count + 1, sizeof *jobs));
    *how_many = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        struct job_file *job = &jobs[*how_many];
        *job = (struct job_file){.limit = 10, .interval = 5, .kill_timeout = 5};
        job->name = checked(strndup(name, strlen(name) - strlen(".conf")));
        *how_many += take_file(job, folder, name);
        free(entries[i]);
    }
    free(entries);
    return jobs;
}
