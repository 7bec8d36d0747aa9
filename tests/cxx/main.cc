/* SPDX-License-Identifier: Apache-2.0 */
/* main.cc - a C++ program with probes of each kind, whose segment cxx_test.py reads. Three threads
 * do all of it a hundred times; it prints where the segment is and waits for a line. */
#include <cstdio>
#include <stdexcept>
#include <thread>

extern "C" { /* as people do who know the header from C */
#include <tocsin.h>
}

#include "shared.h"

TOC_MODULE(cxx, "A program in C++", TOC_BUDGET(threads, 100, TOC_NOTE, "it makes many threads"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_NOTE, "it reports errors")));

namespace app {

TOC_COUNTER(events, "Whatever is counted", TOC_ALERT(total, >, 1, TOC_NOTE, "it was counted"));
TOC_GAUGE(height, "Whatever is set",
          TOC_ALERT(value, >, 100, TOC_NOTE, "it is high", .hold_s = 5, .keep_s = 6, .clear_at = 90));
TOC_LEVEL(depth, "Raised and lowered",
          TOC_ALERT(exhausts_s, <, 60, TOC_NOTE, "it fills up", .hold_s = 7, .window_s = 8,
                    .capacity = 1 << 30));
TOC_TIMER(step, "One step", TOC_ALERT(p99_us, >, 50, TOC_NOTE, "steps are slow"));
TOC_SIZES(size, "Sizes of something",
          TOC_ALERT(max, >=, 1000, TOC_NOTE, "something is large", .volume_min = 3));
TOC_SHARE(failed, "Steps that failed, of all",
          TOC_ALERT(burn_fast, >, 14, TOC_NOTE, "steps fail", .objective_permille = 999));
TOC_HEARTBEAT(pulse, "The main loop", TOC_ALERT(silent_ms, >, 5000, TOC_NOTE, "main is stuck"));
TOC_OPERATION(job, "A job of a thread", TOC_ALERT(in_flight, >, 100, TOC_NOTE, "jobs pile up"));
TOC_FLOW(queue, "Through the queue", TOC_ALERT(lost, !=, 0, TOC_NOTE, "something vanished"),
         TOC_RUNBOOK("https://wiki.example.com/queue"));
TOC_COUNTER_BY(ended, "How steps ended", (good, bad),
               TOC_ALERT_ON(bad, per_minute, >, 10, TOC_NOTE, "steps end badly"));

struct counter {
        int by;

        counter operator++()
        {
                toc_add(events, static_cast<uint64_t>(by));
                return *this;
        }
};

/* Left by an exception: scopes end all the same. */
static void leave(int n)
{
        TOC_TIME_SCOPE(step);
        TOC_OPERATION_SCOPE(job);
        if (n % 2)
                throw std::runtime_error("odd");
}

static void step_once(int n)
{
        counter two{2};
        auto set = [](int to) { toc_set(height, to); };

        ++two;
        set(n);
        toc_raise(depth, 3);
        toc_lower(depth, 1);
        toc_observe(size, n == 50 ? 1000 : 999);
        toc_share(failed, n % 4 == 0);
        toc_beat(pulse);
        toc_in(queue, 5);
        toc_out(queue, 3);
        toc_dropped(queue, 1);
        toc_held(queue, 1);
        toc_count_by(ended, good);
        if (n % 10 == 0)
                toc_count_by(ended, bad);
        try {
                leave(n);
        } catch (const std::runtime_error &) {
                (void)TOC_WARNING(nullptr, TOC_USUAL, "left a step by an exception");
        }
        (void)TOC_EXPECT_CMP(&two, ==, nullptr, TOC_NOTE, "a pointer is compared");
        shared::all(n);
        other_all(n);
        library_all(n);
        part_count();
}

} // namespace app

int main()
{
        std::thread threads[3];
        char line[8];

        for (auto &thread : threads)
                thread = std::thread([] {
                        for (int n = 0; n < 100; n++)
                                app::step_once(n);
                });
        for (auto &thread : threads)
                thread.join();
        std::printf("%s\n", toc_segment_path() ? toc_segment_path() : "none");
        std::fflush(stdout);
        return std::fgets(line, sizeof line, stdin) ? 0 : 1;
}
