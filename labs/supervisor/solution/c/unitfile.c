#include "unitfile.h"

#include <dirent.h>
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE = 1 };

static const char blanks[] = " \t\r\n";

static void *checked(void *memory) {
    if (memory == NULL) {
        err(TROUBLE, "no memory");
    }
    return memory;
}

/* Appends the words of a text. A unit may be called with its suffix: it is cut off. */
static const char *take_words(char **list, char *text, bool are_units) {
    size_t count = 0;
    while (list[count] != NULL) {
        count++;
    }
    for (char *word = strtok(text, blanks); word != NULL; word = strtok(NULL, blanks)) {
        if (count == MOST_WORDS - 1) {
            return "too many words";
        }
        char *suffix = strstr(word, ".service");
        if (are_units && suffix != NULL) {
            *suffix = '\0';
        }
        list[count++] = checked(strdup(word));
    }
    return NULL;
}

/* 5, 5s, 500ms, 2min, infinity */
static const char *take_time(double *time, const char *text) {
    char *unit;
    double number = strtod(text, &unit);
    if (unit == text || number < 0) {
        return "a time is missing: 5s, 500ms, infinity";
    }
    if (*unit == '\0' || strcmp(unit, "s") == 0) {
        *time = number;
    } else if (strcmp(unit, "ms") == 0) {
        *time = number / 1000;
    } else if (strcmp(unit, "min") == 0) {
        *time = number * 60;
    } else {
        return "a time is missing: 5s, 500ms, infinity";
    }
    return NULL;
}

/* The place of a text among the choices; or the last place, where NULL is. */
static int place_of(const char *text, const char *const *choices) {
    int place = 0;
    while (choices[place] != NULL && strcmp(text, choices[place]) != 0) {
        place++;
    }
    return place;
}

static const char *take(struct unit_file *unit, const char *key, char *value) {
    static const char *const types[] = {"simple", "oneshot", "notify", NULL};
    static const char *const restarts[] = {"no", "on-failure", "always", NULL};
    static const char *const modes[] = {"control-group", "process", NULL};
    static const char *const answers[] = {"no", "yes", NULL};
    int place = 0, places = 1;

    if (strcmp(key, "Requires") == 0) {
        return take_words(unit->requires, value, true);
    } else if (strcmp(key, "Wants") == 0) {
        return take_words(unit->wants, value, true);
    } else if (strcmp(key, "After") == 0) {
        return take_words(unit->after, value, true);
    } else if (strcmp(key, "Before") == 0) {
        return take_words(unit->before, value, true);
    } else if (strcmp(key, "ExecStart") == 0) {
        return take_words(unit->command, value, false);
    } else if (strcmp(key, "WantedBy") == 0) {
        unit->at_boot = true;
    } else if (strcmp(key, "RestartSec") == 0) {
        return take_time(&unit->restart_sec, value);
    } else if (strcmp(key, "TimeoutStartSec") == 0) {
        return take_time(&unit->timeout_start, value);
    } else if (strcmp(key, "TimeoutStopSec") == 0) {
        return take_time(&unit->timeout_stop, value);
    } else if (strcmp(key, "StartLimitIntervalSec") == 0) {
        return take_time(&unit->start_limit_interval, value);
    } else if (strcmp(key, "StartLimitBurst") == 0) {
        unit->start_limit_burst = atoi(value);
    } else if (strcmp(key, "Type") == 0) {
        unit->type = place = place_of(value, types);
        places = 3;
    } else if (strcmp(key, "Restart") == 0) {
        unit->restart = place = place_of(value, restarts);
        places = 3;
    } else if (strcmp(key, "KillMode") == 0) {
        place = place_of(value, modes);
        unit->kill_main_only = place == 1;
        places = 2;
    } else if (strcmp(key, "RemainAfterExit") == 0) {
        place = place_of(value, answers);
        unit->remain_after_exit = place == 1;
        places = 2;
    } else if (strcmp(key, "Description") != 0) {
        return "not understood";
    }
    return place < places ? NULL : "no such choice";
}

static const char *take_line(struct unit_file *unit, char *line) {
    line += strspn(line, blanks);
    for (size_t end = strlen(line); end > 0 && strchr(blanks, line[end - 1]) != NULL; end--) {
        line[end - 1] = '\0';
    }
    if (*line == '\0' || *line == '#' || *line == ';' || *line == '[') {
        return NULL; /* sections are for people here: no key is in two of them */
    }
    char *value = strchr(line, '=');
    if (value == NULL) {
        return "a = is missing";
    }
    *value++ = '\0';
    return take(unit, line, value + strspn(value, blanks));
}

static bool take_file(struct unit_file *unit, const char *folder, const char *name) {
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
        const char *flaw = take_line(unit, text);
        if (flaw != NULL) {
            warnx("%s: line %d: %s", name, number, flaw);
            good = false;
        }
    }
    if (good && unit->command[0] == NULL) {
        warnx("%s: it has no ExecStart=", name);
        good = false;
    }
    if (isnan(unit->timeout_start)) {
        unit->timeout_start = unit->type == ONESHOT ? INFINITY : 90;
    }
    free(text);
    fclose(file);
    return good;
}

static int is_unit_file(const struct dirent *entry) {
    const char *ending = strrchr(entry->d_name, '.');
    return ending != NULL && ending != entry->d_name && strcmp(ending, ".service") == 0;
}

struct unit_file *read_folder(const char *folder, size_t *how_many) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_unit_file, alphasort);
    if (count < 0) {
        err(TROUBLE, "%s", folder);
    }
    struct unit_file *units = checked(calloc((size_t)count + 1, sizeof *units));
    *how_many = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        struct unit_file *unit = &units[*how_many];
        *unit = (struct unit_file){.restart_sec = 0.1,
                                   .timeout_start = NAN, /* until its type is known */
                                   .timeout_stop = 90,
                                   .start_limit_burst = 5,
                                   .start_limit_interval = 10};
        unit->name = checked(strndup(name, strlen(name) - strlen(".service")));
        *how_many += take_file(unit, folder, name);
        free(entries[i]);
    }
    free(entries);
    return units;
}
