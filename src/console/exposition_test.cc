#include "console/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace milena::console {
namespace {

MetricSet small_set() {
  MetricSet metrics;
  metrics.counter("b_total", "Counted.", 3);
  metrics.counter("b_total", "Counted.", 4, {{"topic", "a\"b\\c\nd"}});
  metrics.gauge("a", "Is\nnow.", 0.25);
  metrics.gauge("a", "Is\nnow.", std::nan(""), {{"x", "1"}, {"y", "2"}});
  metrics.add("c", MetricType::kSummary, "Took.", "", 7, {{"quantile", "0.5"}});
  metrics.add("c", MetricType::kSummary, "Took.", "_count", 9007199254740990.0, {});
  return metrics;
}

TEST(Exposition, is_what_prometheus_reads) {
  EXPECT_EQ(expose(small_set(), Exposition::kPrometheus),
            "# HELP a Is\\nnow.\n# TYPE a gauge\na 0.25\na{x=\"1\",y=\"2\"} NaN\n"
            "# HELP b_total Counted.\n# TYPE b_total counter\nb_total 3\nb_total{topic=\"a\\\"b\\\\c\\nd\"} 4\n"
            "# HELP c Took.\n# TYPE c summary\nc{quantile=\"0.5\"} 7\nc_count 9007199254740990\n");
}

TEST(Exposition, of_openmetrics_names_the_family_and_ends) {
  std::string text = expose(small_set(), Exposition::kOpenMetrics);
  EXPECT_THAT(text, ::testing::HasSubstr("# TYPE b counter\nb_total 3\n"));
  EXPECT_THAT(text, ::testing::EndsWith("# EOF\n"));
}

TEST(Exposition, is_chosen_by_the_accept_header) {
  auto choose = [](std::string_view accept) { return choose_exposition(accept); };
  EXPECT_EQ(choose(""), Exposition::kPrometheus);
  EXPECT_EQ(choose("*/*"), Exposition::kPrometheus);
  EXPECT_EQ(choose("text/html,application/xhtml+xml"), Exposition::kPrometheus);
  EXPECT_EQ(choose("application/openmetrics-text"), Exposition::kOpenMetrics);
  EXPECT_EQ(choose("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
                   "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
            Exposition::kOpenMetrics);
  EXPECT_EQ(choose("text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.1"), Exposition::kPrometheus);
  EXPECT_EQ(choose("application/openmetrics-textual"), Exposition::kPrometheus);
  EXPECT_EQ(choose("application/openmetrics-text;q=0"), Exposition::kPrometheus);
}

}  // namespace
}  // namespace milena::console
