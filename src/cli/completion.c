/*
 * completion.c - the completion script for bash, made from the commands: words, flags, the words
 * that a field takes, names of profiles.
 */
#include "cli/builtin.h"
#include "cli/show.h"
#include "plan/example.h"

/* The script looks up three tables: what may follow the words so far, the flags of a command, and
 * the words that a flag takes. */
static const char script[] =
    "_hanse()\n"
    "{\n"
    "    local cur prev command='' word next i\n"
    "    COMPREPLY=()\n"
    "    cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case $word in -*) break ;; esac\n"
    "        next=${command:+$command }$word\n"
    "        if [[ -z $(_hanse_words \"$next\")$(_hanse_flags \"$next\") ]]; then\n"
    "            [[ -n $(_hanse_flags \"$command\") ]] || return\n"
    "            break\n"
    "        fi\n"
    "        command=$next\n"
    "    done\n"
    "    case $prev in\n"
    "    --profile) _hanse_reply \"$cur\" \"$(_hanse_profiles)\"; return ;;\n"
    "    --body|--file|--*-file) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n"
    "    esac\n"
    "    case $command in\n"
    "    'profile use'|'profile remove')\n"
    "        [[ $cur == -* ]] || { _hanse_reply \"$cur\" \"$(_hanse_profiles)\"; return; } ;;\n"
    "    plan) [[ $cur == -* ]] || { _hanse_reply \"$cur\" \"$(_hanse_plans)\"; return; } ;;\n"
    "    completion) [[ $cur == -* ]] || { _hanse_reply \"$cur\" bash; return; } ;;\n"
    "    esac\n"
    "    if [[ $prev == --* ]]; then\n"
    "        next=$(_hanse_values \"$command $prev\")\n"
    "        if [[ -n $next ]]; then _hanse_reply \"$cur\" \"$next\"; return; fi\n"
    "    fi\n"
    "    if [[ $cur == -* ]]; then\n"
    "        _hanse_reply \"$cur\" \"$(_hanse_flags \"$command\")\"\n"
    "    else\n"
    "        _hanse_reply \"$cur\" \"$(_hanse_words \"$command\")\"\n"
    "    fi\n"
    "}\n"
    "_hanse_reply()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$1\")\n"
    "}\n"
    "_hanse_profiles()\n"
    "{\n"
    "    hanse profile list --json 2>/dev/null | grep -o '\"name\":\"[^\"]*\"' |\n"
    "        sed 's/.*:\"//; s/\"$//'\n"
    "}\n";

/* The words of c that follow prefix: empty where c does not begin with it. */
static struct str next_word(const struct command *c, struct str prefix)
{
    struct str words = str_c(c->words);
    if (!str_starts(words, prefix) || words.n == prefix.n)
        return STR("");
    if (prefix.n > 0 && words.p[prefix.n] != ' ')
        return STR("");
    struct str rest = str_sub(words, prefix.n + (prefix.n > 0), words.n);
    return str_cut(&rest, ' ');
}

static bool came_before(const struct command *list, size_t at, struct str prefix, struct str word)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(next_word(&list[i], prefix), word))
            return true;
    return false;
}

/* One line: what may follow prefix. */
static void put_next(FILE *out, const struct command *list, size_t count, struct str prefix)
{
    bool began = false;
    for (size_t i = 0; i < count; i++) {
        struct str word = next_word(&list[i], prefix);
        if (word.n == 0 || came_before(list, i, prefix, word))
            continue;
        if (!began)
            fprintf(out, "    '%.*s') echo '", STRF(prefix));
        fprintf(out, "%s%.*s", began ? " " : "", STRF(word));
        began = true;
    }
    if (began)
        show_str(out, STR("' ;;\n"));
}

/* Every proper beginning of a command, once. */
static void put_words(FILE *out, const struct command *list, size_t count)
{
    show_str(out, STR("_hanse_words()\n{\n    case $1 in\n"));
    put_next(out, list, count, STR(""));
    for (size_t i = 0; i < count; i++) {
        struct str words = str_c(list[i].words);
        for (size_t at = str_find(words, ' ', 0); at < words.n; at = str_find(words, ' ', at + 1)) {
            struct str prefix = str_sub(words, 0, at);
            bool seen = false;
            for (size_t k = 0; k < i && !seen; k++) {
                struct str other = str_c(list[k].words);
                seen = str_starts(other, prefix) && other.n > at && other.p[at] == ' ';
            }
            if (!seen)
                put_next(out, list, count, prefix);
        }
    }
    show_str(out, STR("    esac\n}\n"));
}

static void put_flags(struct run *run, FILE *out, const struct command *list, size_t count)
{
    show_str(out, STR("_hanse_flags()\n{\n    case $1 in\n"));
    for (size_t i = 0; i < count; i++) {
        size_t flag_count = 0;
        const struct flag *flags = command_flags(&list[i], run->arena, &flag_count);
        fprintf(out, "    '%s') echo '", list[i].words);
        for (size_t f = 0; f < flag_count; f++)
            fprintf(out, "%s--%.*s", f == 0 ? "" : " ", STRF(flags[f].name));
        show_str(out, STR("' ;;\n"));
    }
    show_str(out, STR("    esac\n}\n"));
}

static void put_values(struct run *run, FILE *out, const struct command *list, size_t count)
{
    show_str(out, STR("_hanse_values()\n{\n    case $1 in\n"));
    for (size_t i = 0; i < count; i++) {
        size_t flag_count = 0;
        const struct flag *flags = command_flags(&list[i], run->arena, &flag_count);
        for (size_t f = 0; f < flag_count; f++) {
            const struct field *field = flags[f].field;
            if (field == NULL || field->words == NULL)
                continue;
            fprintf(out, "    '%s --%.*s') echo '", list[i].words, STRF(flags[f].name));
            for (size_t w = 0; field->words[w] != NULL; w++)
                fprintf(out, "%s%s", w == 0 ? "" : " ", field->words[w]);
            show_str(out, STR("' ;;\n"));
        }
    }
    show_str(out, STR("    esac\n}\n"));
}

static void put_plans(FILE *out)
{
    show_str(out, STR("_hanse_plans()\n{\n    echo"));
    for (size_t i = 0; i < forecast_example_count; i++)
        fprintf(out, " %s", forecast_examples[i].name);
    show_str(out, STR("\n}\n"));
}

enum rc builtin_completion(struct run *run)
{
    if (run->args.word_count != 1 || !str_eq(run->args.words[0], STR("bash")))
        return err_set(run->err, RC_SYNTAX, "say for which shell: hanse completion bash");
    FILE *out = run->cli->out;
    size_t count = 0;
    const struct command *list = command_list(run->arena, &count);
    show_str(out, STR("# bash completion for hanse; made by: hanse completion bash\n"));
    show_str(out, str_c(script));
    put_plans(out);
    put_words(out, list, count);
    put_flags(run, out, list, count);
    put_values(run, out, list, count);
    show_str(out, STR("complete -F _hanse hanse\n"));
    return RC_OK;
}
