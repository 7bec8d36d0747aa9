/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin-cxx.h - what the machinery of <tocsin.h> needs in C++ in place of what is C only. Not an
 * interface for instrumented code.
 *
 * Records are made by a constexpr function, since array designators and designators out of order
 * are C only. Checks are those of tocsin-machine.h; here they ask types, not _Generic.
 *
 * A site in an inline function is one variable in the whole program, so its copies must find each
 * other when objects are linked, but not when a shared object is loaded: a cell of another object
 * would be counted with this object's offset. So they are hidden, in the way that each compiler
 * has for variables of functions. */
#ifndef TOCSIN_CXX_H
#define TOCSIN_CXX_H

#pragma GCC system_header

/* Whoever includes <tocsin.h> may have said extern "C" before. */
extern "C++" {

/* ---- Types -----------------------------------------------------------------------------*/

template <class T> inline constexpr bool toc_is_class_ = __is_class(T) || __is_union(T);

/* What can be added up: with enumerators of C, and without fractions, pointers and classes. */
template <class T> inline constexpr bool toc_is_integer_ = false;
template <class T>
requires(!toc_is_class_<T>) && requires(T x)
{
        x & 1;
}
inline constexpr bool toc_is_integer_<T> = true;

template <class T> inline constexpr bool toc_is_pointer_ = false;
template <class T> inline constexpr bool toc_is_pointer_<T *> = true;
template <> inline constexpr bool toc_is_pointer_<decltype(nullptr)> = true;

template <class T> inline constexpr bool toc_is_fraction_ = false;
template <> inline constexpr bool toc_is_fraction_<float> = true;
template <> inline constexpr bool toc_is_fraction_<double> = true;

template <class T>
inline constexpr bool toc_fits_value_ = sizeof(T) <= 8 &&
                                        (toc_is_integer_<T> || __is_enum(T) || toc_is_pointer_<T> ||
                                         toc_is_fraction_<T>);

/* What a copy of an expression is; arrays and functions become pointers. */
template <class T> constexpr T toc_decay_(T x);

template <class T> inline constexpr bool toc_is_text_ = false;
template <> inline constexpr bool toc_is_text_<char *> = true;
template <> inline constexpr bool toc_is_text_<const char *> = true;

/* The number itself, or 0 where the author wrote something else in its place. */
template <class T> constexpr auto toc_number_(T x)
{
        if constexpr (toc_is_integer_<T>)
                return +x;
        else
                return 0;
}

constexpr int toc_number_()
{
        return 0;
}

/* The same for texts. */
template <class T> constexpr const char *toc_text_(T x)
{
        if constexpr (toc_is_text_<T>)
                return x;
        else
                return "";
}

/* ---- Records ---------------------------------------------------------------------------*/

template <unsigned size> constexpr void toc_put_(char (&to)[size], const char *from)
{
        unsigned i = 0;

        for (; i + 1 < size && from[i]; i++)
                to[i] = from[i];
        for (; i < size; i++)
                to[i] = 0;
}

/* The options of TOC_ALERT. The name is read in what compilers say about options that they do not
 * know, or that stand in another order. */
inline constexpr int64_t toc_no_clear_level_ = TOC_NO_CLEAR_LEVEL_; /* as a number, for g++ */

struct TOC_ALERT_in_order_hold_s_keep_s_clear_at_window_s_volume_min_capacity_objective_permille {
        const char *meaning = "";
        uint32_t hold_s = 0;
        uint32_t keep_s = 0;
        int64_t clear_at = toc_no_clear_level_;
        uint32_t window_s = 0;
        uint32_t volume_min = 0;
        int64_t capacity = 0;
        uint16_t objective_permille = 0;
};
using toc_options_ =
        TOC_ALERT_in_order_hold_s_keep_s_clear_at_window_s_volume_min_capacity_objective_permille;

struct toc_build_ {
        toc_record record;

        constexpr toc_build_(toc_kind kind, uint32_t line, const char *module, const char *name,
                             const char *help, const char *file)
            : record{}
        {
                record.version = 1;
                record.kind = (uint8_t)kind;
                record.line = line;
                toc_put_(record.module, module);
                toc_put_(record.name, name);
                toc_put_(record.help, help);
                toc_put_(record.file, file);
        }
        constexpr toc_build_ &labels(const char *text)
        {
                toc_put_(record.labels, text);
                return *this;
        }
        constexpr toc_build_ &runbook(const char *text)
        {
                toc_put_(record.runbook, text);
                return *this;
        }
        constexpr toc_build_ &flags(int bits)
        {
                record.flags = (uint8_t)bits;
                return *this;
        }
        constexpr toc_build_ &reason(const char *text)
        {
                toc_put_(record.rule[0].meaning, text);
                return *this;
        }
        constexpr toc_build_ &rule(int slot, int signal, int op, int64_t limit, int64_t severity,
                                   const toc_options_ &options)
        {
                toc_rule &rule = record.rule[slot];

                rule.limit = limit;
                rule.clear_at = options.clear_at;
                rule.capacity = options.capacity;
                rule.hold_s = options.hold_s;
                rule.keep_s = options.keep_s;
                rule.window_s = options.window_s;
                rule.volume_min = options.volume_min;
                rule.objective_permille = options.objective_permille;
                rule.signal = (uint8_t)signal;
                rule.op = (uint8_t)op;
                rule.severity = (uint8_t)severity;
                toc_put_(rule.meaning, options.meaning);
                return *this;
        }
        /* Of a label that does not ring nothing is left but options. */
        constexpr toc_build_ &rule_on(bool is_on, const char *or_else, int slot, int signal, int op,
                                      int64_t limit, int64_t severity, toc_options_ options)
        {
                if (!is_on)
                        options.meaning = or_else;
                return rule(slot, is_on ? signal : 0, is_on ? op : 0, limit, is_on ? severity : 0,
                            options);
        }
};

/* What is wrong with the options of a rule; 0: nothing. */
inline constexpr int toc_clears_where_it_rings_ = 1;
inline constexpr int toc_clears_a_quantile_ = 2;
inline constexpr int toc_clears_without_side_ = 3;
inline constexpr int toc_window_too_short_ = 4;
inline constexpr int toc_no_capacity_ = 5;
inline constexpr int toc_no_objective_ = 6;

constexpr bool toc_is_quantile_(int signal)
{
        return signal >= toc_signal_p50_us && signal <= toc_signal_max;
}

constexpr int toc_complaint_about_(int signal, int op, int64_t limit, const toc_options_ &options)
{
        int side = op & (TOC_ABOVE_ | TOC_BELOW_);
        bool is_burn = signal == toc_signal_burn_fast || signal == toc_signal_burn_slow;

        if (options.window_s && options.window_s < 4)
                return toc_window_too_short_;
        if (signal == toc_signal_exhausts_s && options.capacity <= 0)
                return toc_no_capacity_;
        if (is_burn && (options.objective_permille < 1 || options.objective_permille > 999))
                return toc_no_objective_;
        if (options.clear_at == toc_no_clear_level_)
                return 0;
        if (toc_is_quantile_(signal))
                return toc_clears_a_quantile_;
        if (side != TOC_ABOVE_ && side != TOC_BELOW_)
                return toc_clears_without_side_;
        if ((options.clear_at > limit && (op & TOC_ABOVE_)) ||
            (options.clear_at < limit && (op & TOC_BELOW_)) ||
            (options.clear_at == limit && (op & TOC_EQUAL_)))
                return toc_clears_where_it_rings_;
        return 0;
}

/* Whether the text is what a compiler calls a function that it makes of a template:
 * int f(T) [with T = int]. */
constexpr bool toc_is_template_(const char *function)
{
        for (; *function; function++)
                if (function[0] == ' ' && function[1] == '=' && function[2] == ' ')
                        return true;
        return false;
}

/* ---- Values of TOC_EXPECT_CMP ----------------------------------------------------------*/

/* What the copy of an operand is; NULL beside a pointer is nullptr. */
template <class T, class Other> struct toc_copy_ {
        using type = T;
};
template <class T, class Other>
requires(toc_is_integer_<T> &&toc_is_pointer_<Other>) struct toc_copy_<T, Other> {
        using type = decltype(nullptr);
};

template <class T> TOC_ALWAYS_ toc_value_ toc_value_from_(T x)
{
        toc_value_ value = { 0, sizeof(T) <= 4 ? 4 : 8, 'u' };

        if constexpr (toc_is_pointer_<T>) {
                value.bits = (uint64_t)(uintptr_t)x;
                value.size = 8;
                value.type = 'p';
        } else if constexpr (toc_is_fraction_<T>) {
                __builtin_memcpy(&value.bits, &x, sizeof x);
                value.type = 'f';
        } else if constexpr (toc_fits_value_<T>) {
                value.bits = (uint64_t)x;
                if (value.size == 4)
                        value.bits &= UINT32_MAX;
                if ((T)-1 < (T)0)
                        value.type = 'i';
        }
        return value;
}

/* Where a site's cells and its probe are. */
struct toc_site_at_ {
        uint64_t *cells;
        const toc_probe_ *probe;
};

} /* extern "C++" */

#define TOC_COPY_(name, x, other)                                                            \
        const typename toc_copy_<decltype(toc_decay_(x)), decltype(toc_decay_(other))>::type \
                name = (x)
#define TOC_KEPT_(x, copy) (copy)
#define TOC_NO_VALUE_      (toc_value_{ 0, 0, 0 })
#define TOC_VALUE_(x)      toc_value_from_(x)
#define TOC_FITS_VALUE_(x) toc_fits_value_<decltype(toc_decay_(x))>

/* ---- What tocsin-machine.h asks for ----------------------------------------------------*/

#define TOC_IS_INTEGER_(x)  toc_is_integer_<decltype(toc_decay_(x))>
#define TOC_INTEGER_(x)     (x)
#define TOC_IS_CONSTANT_(x) __builtin_constant_p(x)
#define TOC_CONSTANT_(x)    (__builtin_constant_p(x) ? toc_number_(x) : 0)
#define TOC_NUMBER_(x)      toc_number_(x)
#define TOC_IS_TEXT_(x)     toc_is_text_<decltype(toc_decay_(x))>
#define TOC_STRING_(x)      x
/* Nothing but a literal is looked at: a record must be a constant, whatever else is wrong. */
#define TOC_MEANING_(x)                (__builtin_memcmp(#x, "\"", 1) == 0 ? toc_text_(x) : "")
#define TOC_CUT_(text, field, instead) TOC_CUT2_(text, field, instead)
#define TOC_CUT2_(text, field, instead) \
        (sizeof(text) <= sizeof(((struct toc_record *)0)->field) ? TOC_MEANING_(text) : (instead))

#define TOC_SET_LABELS_(text)  .labels(text)
#define TOC_SET_RUNBOOK_(text) .runbook(text)
#define TOC_SET_FLAGS_(bits)   .flags(bits)
#define TOC_SET_REASON_(text)  .reason(text)
#define TOC_SET_RULE_(slot, signal, op, limit, severity, ...) \
        .rule(slot, signal, op, (int64_t)(limit), severity, toc_options_{ .meaning = __VA_ARGS__ })
#define TOC_SET_RULE_ON_(is_on, or_else, slot, signal, op, limit, severity, ...) \
        .rule_on(is_on, or_else, slot, signal, op, (int64_t)(limit), severity,   \
                 toc_options_{ .meaning = __VA_ARGS__ })

#define TOC_OPTIONS_CHECK_(...)  TOC_OPTIONS_CHECK2_(TOC_CAT_(toc_says_, __COUNTER__), __VA_ARGS__)
#define TOC_OPTIONS_CHECK2_(...) TOC_OPTIONS_CHECK3_(__VA_ARGS__)
#define TOC_OPTIONS_CHECK3_(id, what, signal, op, limit, ...)                                    \
        enum {                                                                                   \
                id = toc_complaint_about_(toc_signal_##signal, TOC_OP_(op),                      \
                                          (int64_t)TOC_CONSTANT_(limit),                         \
                                          toc_options_{ .meaning = __VA_ARGS__ })                \
        };                                                                                       \
        static_assert(id != toc_window_too_short_, "tocsin: " what ": .window_s is 4 or more");  \
        static_assert(id != toc_no_capacity_,                                                    \
                      "tocsin: " what ": exhausts_s takes .capacity, above 0");                  \
        static_assert(id != toc_no_objective_,                                                   \
                      "tocsin: " what ": " #signal " takes .objective_permille, from 1 to 999"); \
        static_assert(id != toc_clears_a_quantile_,                                              \
                      "tocsin: " what ": .clear_at is not for quantiles, which are judged at "   \
                      "their limit alone");                                                      \
        static_assert(id != toc_clears_without_side_,                                            \
                      "tocsin: " what ": .clear_at is not for == and !=");                       \
        static_assert(id != toc_clears_where_it_rings_,                                          \
                      "tocsin: " what ": .clear_at is on the side that rings");

#define TOC_SPELL_(s)                                \
        enum { this_file_has_a_TOC_MODULE_already }; \
        __attribute__((unused)) static constexpr char this_file_has_no_TOC_MODULE[] = s;

/* g++ refuses a variable of an inline function in a section where another variable is, because the
 * one is in a group of the linker and the other is not. So each is in a section of its own, as far
 * as the compiler can see; the assembler sees a comment behind one and the same name. */
#if !defined(__clang__)
#define TOC_IN_(name)                                                                         \
        __attribute__((section(name "/*" __BASE_FILE__                                        \
                                    ":" TOC_TEXT_(__LINE__) ":" TOC_TEXT_(__COUNTER__) "*/"), \
                       used, retain, aligned(8)))
#define TOC_IN_CONST_(name) TOC_IN_(name)
#endif

#define TOC_BUILD_(kind, name, help, ...)                                              \
        toc_build_(toc_kind_##kind, __LINE__, this_file_has_no_TOC_MODULE, name, help, \
                   TOC_CUT_(__FILE_NAME__, file, "(a long file name)")) __VA_ARGS__.record

#define TOC_RECORD_(id, kind, name, help, cell_, ...)                                              \
        static constexpr struct toc_record TOC_CAT_(id, _record_) TOC_IN_CONST_("toc_records_1") = \
                TOC_BUILD_(kind, name, help, __VA_ARGS__);                                         \
        static constexpr struct toc_probe_ TOC_CAT_(id, _probe_)                                   \
                TOC_IN_("toc_probes_1") = { &TOC_CAT_(id, _record_), cell_ }

/* A namespace can stand in no class. */
#define TOC_AT_FILE_SCOPE_                                                             \
        static_assert(__builtin_FUNCTION()[0] == 0,                                    \
                      "tocsin: a probe is declared outside of functions and classes"); \
        namespace probes_are_declared_outside_of_functions_and_classes                 \
        {                                                                              \
        }

#define TOC_CELLS_OF_(site) (TOC_CAT_(site, _at_).cells)
#define TOC_PROBE_OF_(site) (TOC_CAT_(site, _at_).probe)

#define TOC_NO_TEMPLATE_                                                                           \
        static_assert(!toc_is_template_(__PRETTY_FUNCTION__),                                      \
                      "tocsin: a site cannot stand in a template; put it into a function that is " \
                      "none, and call that");

/* The variables of a class in a function are hidden if the class is (g++), if it is an argument of
 * a template that is (clang++). */
#if defined(__clang__)
extern "C++" template <class Site> struct TOC_ONLY_HERE_ toc_site_ {
        static inline uint64_t cells[Site::words] TOC_IN_("toc_cells_1") = {};
        /* Not used, as its attribute would say: it is, by the probe, and clang 14 falls over it. */
        static constexpr toc_record record
                __attribute__((section("toc_records_1"), retain, aligned(8))) TOC_NO_REDZONE_ =
                        Site::made();
        static constexpr toc_probe_ probe TOC_IN_("toc_probes_1") = { &record, cells };
};
#define TOC_SITE_(site, words_, kind, name, help, ...)                                         \
        TOC_NO_TEMPLATE_                                                                       \
        struct TOC_CAT_(site, _place_) {                                                       \
                enum { words = words_ };                                                       \
                static constexpr toc_record made()                                             \
                {                                                                              \
                        return TOC_BUILD_(kind, name, help, __VA_ARGS__);                      \
                }                                                                              \
        };                                                                                     \
        const toc_site_at_ TOC_CAT_(site, _at_) = { toc_site_<TOC_CAT_(site, _place_)>::cells, \
                                                    &toc_site_<TOC_CAT_(site, _place_)>::probe }
#else
#define TOC_SITE_(site, words, kind, name, help, ...)                             \
        TOC_NO_TEMPLATE_                                                          \
        struct TOC_ONLY_HERE_ TOC_CAT_(site, _place_) {                           \
                TOC_ALWAYS_ toc_site_at_ find()                                   \
                {                                                                 \
                        static uint64_t cells[words] TOC_IN_("toc_cells_1") = {}; \
                        TOC_RECORD_(site, kind, name, help, cells, __VA_ARGS__);  \
                        return { cells, &TOC_CAT_(site, _probe_) };               \
                }                                                                 \
        };                                                                        \
        const toc_site_at_ TOC_CAT_(site, _at_) = TOC_CAT_(site, _place_)::find()
#endif

#endif
