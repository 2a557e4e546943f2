#include "reconcile/absences.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
using model::AbsenceCause;
using model::AbsenceRecord;

constexpr Duration grace = std::chrono::seconds(30);

AbsenceRecord refused(double from, double to, Duration max, std::vector<std::string> sources = {}) {
    return {noon(from), noon(to), grace, max, std::move(sources), AbsenceCause::refused};
}

/// Seconds after noon to which the deadline of a case opened at `opened` has moved.
double moved(const std::vector<AbsenceRecord>& pieces, double opened, double deadline,
             std::vector<std::string> sources = {"gcp"}) {
    const Instant at = deadline_moved(noon(opened), noon(deadline), sources, Absences(pieces));
    return static_cast<double>((at - noon(0)).count()) / 1e9;
}

TEST(Absences, a_deadline_moves_by_what_of_a_stretch_came_after_the_opening) {
    EXPECT_EQ(moved({away(10, 40)}, 0, 60), 60 + 30 + 30);
    EXPECT_EQ(moved({away(10, 40)}, 20, 80), 80 + 20 + 30) << "opened in the middle";
    EXPECT_EQ(moved({away(10, 40)}, 40, 100), 100) << "opened when it was over";
    EXPECT_EQ(moved({away(60, 90)}, 0, 60), 60 + 30 + 30) << "at its deadline a leg is in time";
    EXPECT_EQ(moved({away(60.5, 90)}, 0, 60), 60) << "had passed";
    EXPECT_EQ(moved({}, 0, 60), 60);
}

TEST(Absences, what_overlaps_or_touches_is_one_stretch) {
    EXPECT_EQ(moved({away(10, 40), away(20, 50)}, 0, 60), 60 + 40 + 30);
    EXPECT_EQ(moved({away(10, 40), away(40, 50)}, 0, 60), 60 + 40 + 30);
    EXPECT_EQ(moved({away(10, 40), away(41, 50)}, 0, 60), 60 + 30 + 30 + 9 + 30);
    EXPECT_EQ(moved({away(10, 40), away(125, 130)}, 0, 60), 60 + 30 + 30)
        << "120 had passed when the second began";
    auto generous = away(20, 50);
    generous.grace = std::chrono::seconds(100);
    EXPECT_EQ(moved({away(10, 40), generous}, 0, 60), 60 + 40 + 100) << "the largest grace";
}

TEST(Absences, only_the_sources_of_the_leg_count) {
    const auto of_aws = refused(10, 20, std::chrono::hours(24), {"aws"});
    EXPECT_EQ(moved({of_aws}, 0, 60, {"gcp"}), 60);
    EXPECT_EQ(moved({of_aws}, 0, 60, {"gcp", "aws"}), 60 + 10 + 30);
    EXPECT_EQ(moved({of_aws}, 0, 60, {}), 60 + 10 + 30) << "a leg from any source";
    EXPECT_EQ(moved({of_aws, away(20, 30)}, 0, 60, {"gcp"}), 60 + 10 + 30);
    EXPECT_EQ(moved({of_aws, away(20, 30)}, 0, 60, {"aws"}), 60 + 20 + 30);
}

AbsenceRecord silent(double from, double to, std::vector<std::string> sources = {"gcp"}) {
    return {noon(from),       noon(to),           grace,
            Duration::zero(), std::move(sources), AbsenceCause::silent};
}

/// Of a leg that waits for at most `max` seconds.
double waited(const std::vector<AbsenceRecord>& pieces, double deadline, double max,
              const std::vector<std::string>& sources = {"gcp"}) {
    const Instant at = deadline_moved(noon(0), noon(deadline), sources, Absences(pieces),
                                      std::chrono::seconds(static_cast<int>(max)));
    return static_cast<double>((at - noon(0)).count()) / 1e9;
}

TEST(Absences, a_silent_source_moves_only_legs_that_wait_for_it) {
    EXPECT_EQ(moved({silent(10, 40)}, 0, 60), 60) << "to find that is what a deadline is for";
    EXPECT_EQ(waited({silent(10, 40)}, 60, 3600), 60 + 30 + 30);
    EXPECT_EQ(waited({silent(10, 40, {"aws"})}, 60, 3600), 60) << "of another source";
    EXPECT_EQ(waited({silent(10, 40)}, 60, 3600, {"aws", "gcp"}), 60) << "another can bring it";
    EXPECT_EQ(waited({silent(10, 40, {"aws", "gcp"})}, 60, 3600, {"aws", "gcp"}), 60 + 30 + 30);
    EXPECT_EQ(waited({silent(10, 40)}, 60, 3600, {}), 60) << "anybody can bring it";
    EXPECT_EQ(waited({silent(61, 90)}, 60, 3600), 60) << "what had passed stays passed";
}

TEST(Absences, a_silence_adds_at_most_silence_max_beyond_what_others_do) {
    EXPECT_EQ(waited({silent(10, 5000)}, 60, 100), 60 + 100);
    EXPECT_EQ(waited({away(10, 40), silent(20, 50)}, 60, 3600), 60 + 40 + 30)
        << "together they are one stretch";
    EXPECT_EQ(waited({away(10, 40), silent(20, 50)}, 60, 5), 60 + 30 + 30 + 5);
    EXPECT_EQ(waited({silent(10, 200), refused(100, 150, std::chrono::seconds(20))}, 60, 50),
              60 + 20 + 50)
        << "each has a cap of its own";
}

TEST(Absences, how_a_silence_is_cut_into_pieces_does_not_matter) {
    const double whole = waited({silent(10, 100)}, 60, 3600);
    for (double cut = 15; cut < 100; cut += 5) {
        EXPECT_EQ(waited({silent(cut, 100), silent(10, cut)}, 60, 3600), whole) << cut;
    }
}

TEST(Absences, refusals_together_move_by_at_most_their_largest_max) {
    constexpr Duration max = std::chrono::seconds(100);
    EXPECT_EQ(moved({refused(10, 40, max)}, 0, 60), 60 + 30 + 30);
    EXPECT_EQ(moved({refused(10, 5000, max)}, 0, 60), 60 + 100);
    EXPECT_EQ(moved({refused(10, 40, max), refused(50, 80, max), refused(100, 130, max)}, 0, 60),
              60 + 100);
    EXPECT_EQ(moved({refused(10, 40, max), refused(50, 80, std::chrono::seconds(110))}, 0, 60),
              60 + 110);
    EXPECT_EQ(moved({away(0, 1000), refused(1000, 1500, max)}, 0, 60), 60 + 1000 + 30 + 100)
        << "stops have no cap";
    EXPECT_EQ(moved({refused(0, 1000, max), away(100, 400)}, 0, 60), 60 + 300 + 30 + 100)
        << "what lies in both is a stop";
    EXPECT_EQ(moved({refused(0, 1000, max), away(1000, 2000)}, 0, 60), 60 + 100)
        << "160 had passed when the stop began";
}

/// Stretches of whole seconds, now and then touching, overlapping, of several sources, capped or
/// not.
std::vector<AbsenceRecord> some_stretches(std::mt19937& random) {
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    std::vector<AbsenceRecord> out;
    for (int n = 1 + below(6); n > 0; --n) {
        const int from = below(300);
        AbsenceRecord one = away(from, from + 1 + below(60));
        if (below(2) == 0) {
            one = refused(from, from + 1 + below(60), std::chrono::seconds(40));
            one.sources =
                below(2) == 0 ? std::vector<std::string>{"gcp"} : std::vector<std::string>{};
        }
        out.push_back(one);
    }
    return out;
}

TEST(Absences, neither_order_nor_cutting_matters) {
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const auto whole = some_stretches(random);
        std::vector<AbsenceRecord> pieces;
        for (AbsenceRecord rest : whole) {
            while (rest.to - rest.from > std::chrono::seconds(1) && random() % 3 != 0) {
                AbsenceRecord piece = rest;
                piece.to = rest.from + (rest.to - rest.from) / 2;
                rest.from = piece.to;
                pieces.push_back(piece);
            }
            pieces.push_back(rest);
        }
        std::shuffle(pieces.begin(), pieces.end(), random);
        for (int opened = 0; opened < 300; opened += 37) {
            for (const int deadline : {0, 5, 60, 200}) {
                EXPECT_EQ(moved(whole, opened, opened + deadline),
                          moved(pieces, opened, opened + deadline))
                    << "opened at " << opened << ", deadline " << deadline;
            }
        }
    }
}

TEST(Absences, what_had_passed_stays_passed_whatever_begins_later) {
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        auto stretches = some_stretches(random);
        std::sort(stretches.begin(), stretches.end(),
                  [](const auto& a, const auto& b) { return a.from < b.from; });
        std::vector<AbsenceRecord> known;
        for (const auto& next : stretches) {
            for (int opened = 0; opened < 300; opened += 29) {
                const Instant before =
                    deadline_moved(noon(opened), noon(opened + 60), {"gcp"}, Absences(known));
                auto more = known;
                more.push_back(next);
                const Instant after =
                    deadline_moved(noon(opened), noon(opened + 60), {"gcp"}, Absences(more));
                EXPECT_GE(after, before);
                if (before < next.from) {
                    EXPECT_EQ(after, before);
                }
            }
            known.push_back(next);
        }
    }
}

TEST(Absences, without_a_cap_it_is_the_union_and_a_grace_for_each_stretch) {
    for (std::uint32_t seed = 1; seed <= 500; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        std::vector<bool> absent(400);
        std::vector<AbsenceRecord> stretches;
        for (int n = 0; n < 5; ++n) {
            const int from = static_cast<int>(random() % 300);
            const int to = from + 1 + static_cast<int>(random() % 50);
            stretches.push_back(away(from, to));
            std::fill(absent.begin() + from, absent.begin() + to, true);
        }
        const int opened = static_cast<int>(random() % 200);
        int expected = opened + 60;
        for (int s = opened; s < 400; ++s) {  // second by second
            const bool begins = absent[static_cast<std::size_t>(s)] &&
                                (s == opened || !absent[static_cast<std::size_t>(s - 1)]);
            if (begins && expected < s) {
                break;
            }
            expected += absent[static_cast<std::size_t>(s)] ? 1 : 0;
            expected += begins ? 30 : 0;
        }
        EXPECT_EQ(moved(stretches, opened, opened + 60), expected);
    }
}

TEST(Absences, a_long_stretch_of_pieces_is_kept_as_one) {
    Absences absences;
    for (int i = 999; i >= 0; --i) {
        absences.add(refused(i, i + 1, std::chrono::hours(24)));
    }
    ASSERT_EQ(absences.all().size(), 1u);
    EXPECT_EQ(absences.all()[0].to - absences.all()[0].from, std::chrono::seconds(1000));
    absences.forget_until(noon(1000));
    EXPECT_TRUE(absences.all().empty());
}

TEST(Absences, no_case_has_a_later_deadline_than_the_latest) {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        const Absences absences(some_stretches(random));
        const int last = static_cast<int>(random() % 300);
        for (int opened = 0; opened <= last; ++opened) {
            std::vector<Instant> deadlines;
            deadlines_moved(*order_flow(), noon(opened), absences, deadlines);
            EXPECT_LE(*std::max_element(deadlines.begin(), deadlines.end()),
                      latest_deadline(*order_flow(), noon(last), absences));
        }
    }
}

TEST(Absences, many_apart_cost_a_case_only_those_that_concern_it) {
    Absences absences;
    for (int i = 0; i < 5000; ++i) {
        absences.add(refused(5 * i, 5 * i + 1, std::chrono::hours(24)));
    }
    EXPECT_EQ(absences.since(noon(24'990)) - absences.all().begin(), 4998)
        << "looked for, not walked to";
    EXPECT_EQ(absences.most(), std::chrono::hours(24));
}

}  // namespace
}  // namespace helios::reconcile
