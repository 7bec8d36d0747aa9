// SPDX-License-Identifier: Apache-2.0
// peer_prometheus.cc - prometheus-cpp: one atomic double for all threads, by its handle; a histogram
// is one of ten buckets.
#include "peer.h"

extern "C" {
#include "kind.h"
}

#include <memory>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

static std::unique_ptr<prometheus::Counter> counter;
static std::unique_ptr<prometheus::Gauge> gauge;
static std::unique_ptr<prometheus::Histogram> histogram;

int peer_prometheus_open(const char *)
{
        try {
                counter.reset(new prometheus::Counter);
                gauge.reset(new prometheus::Gauge);
                histogram.reset(new prometheus::Histogram(prometheus::Histogram::BucketBoundaries{
                        1e3, 1e4, 5e4, 1e5, 5e5, 1e6, 5e6, 1e7, 2e7, 4.5e7 }));
        } catch (...) {
                return -1;
        }
        return 0;
}

void peer_prometheus_close(void)
{
        histogram.reset();
        gauge.reset();
        counter.reset();
}

void peer_prometheus_increment(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                counter->Increment();
}

void peer_prometheus_set(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                gauge->Set(static_cast<double>(i));
}

void peer_prometheus_observe(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                histogram->Observe(static_cast<double>(kind_value[i % KIND_VALUE_COUNT]));
}
