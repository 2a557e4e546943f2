#include "app/lines.h"

#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include "base/temporary_directory.h"

namespace helios::app {
namespace {

const std::string byte_order_mark = "\xEF\xBB\xBF";

struct ReadLines : testing::Test {
    std::vector<std::string> lines_of(const std::string& content) const {
        std::ofstream(path(), std::ios::binary) << content;
        std::vector<std::string> out;
        const auto read =
            read_lines(path(), [&](std::uint64_t number, std::string_view line) -> Status {
                out.emplace_back(line);
                EXPECT_EQ(out.size(), number);
                return {};
            });
        EXPECT_TRUE(read);
        return out;
    }
    std::string path() const { return directory->path() + "/lines"; }
    Result<TemporaryDirectory> directory = TemporaryDirectory::make("helios-lines-");
};

TEST_F(ReadLines, ends_and_empty_lines) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(Lines{}, lines_of(""));
    EXPECT_EQ((Lines{"a", "", "b"}), lines_of("a\n\nb\n"));
    EXPECT_EQ((Lines{"a", "b"}), lines_of("a\r\nb")) << "the last one needs no end";
    EXPECT_EQ((Lines{"", ""}), lines_of("\n\n"));
    EXPECT_EQ((Lines{"a", byte_order_mark + "b"}),
              lines_of(byte_order_mark + "a\n" + byte_order_mark + "b\n"));
}

TEST_F(ReadLines, of_any_length) {
    // Around every place where one read ends and the next begins.
    for (const std::size_t length :
         {(256u << 10) - 2, (256u << 10) - 1, 256u << 10, (256u << 10) + 1, 1u << 20}) {
        const std::string first(length, 'x');
        const auto lines = lines_of(first + "\nsecond\n" + first);
        ASSERT_EQ(lines.size(), 3u);
        EXPECT_TRUE(lines[0] == first && lines[1] == "second" && lines[2] == first) << length;
    }
}

TEST_F(ReadLines, the_first_refusal_ends_it) {
    std::ofstream(path()) << "a\nb\nc\n";
    std::uint64_t last = 0;
    const auto read =
        read_lines(path(), [&](std::uint64_t number, std::string_view line) -> Status {
            last = number;
            return line == "b" ? Status(fail(ErrorKind::conflict, "b")) : Status{};
        });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::conflict);
    EXPECT_EQ(last, 2u);
}

TEST_F(ReadLines, a_line_that_is_too_long_is_passed_over) {
    const std::string longest(line_bytes_max, 'x');
    std::ofstream(path()) << "a\n"
                          << longest << "\n"
                          << longest << "y\nb\n"
                          << longest << longest << "z";
    std::vector<std::pair<std::uint64_t, std::uint64_t>> visited;
    std::uint64_t bytes = 0;
    LineReading reading;
    reading.read = [&](std::uint64_t n) { bytes += n; };
    reading.too_long = [&](std::uint64_t number, std::uint64_t length) {
        visited.emplace_back(number, length);
        return Status{};
    };
    const auto visit = [&](std::uint64_t number, std::string_view line) {
        visited.emplace_back(number, line.size());
        return Status{};
    };
    ASSERT_TRUE(read_lines(path(), visit, reading));
    const std::uint64_t n = line_bytes_max;
    EXPECT_EQ(visited, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                           {1, 1}, {2, n}, {3, n + 1}, {4, 1}, {5, 2 * n + 1}}));
    EXPECT_EQ(bytes, bytes_of_inputs({path()}) + 1)
        << "each once; the last line's end is counted though it has none";
    EXPECT_EQ(read_lines(path(), visit).error().kind, ErrorKind::invalid)
        << "nobody wanted to hear of it";
}

TEST_F(ReadLines, what_is_no_text) {
    using namespace std::string_literals;
    const auto none = [](std::uint64_t, std::string_view) { return Status{}; };
    for (const auto& bytes : {"\x1f\x8b\x08\0\0"s, "\x28\xb5\x2f\xfd\1"s, "BZh91AY&SY"s,
                              "PK\x03\x04"s, "\xff\xfe{\0"s, "\xfe\xff\0{"s}) {
        std::ofstream(path()) << bytes;
        const auto read = read_lines(path(), none);
        ASSERT_FALSE(read) << bytes;
        EXPECT_EQ(read.error().kind, ErrorKind::invalid);
        EXPECT_NE(std::string::npos, read.error().hint.find(path())) << "says how";
    }
    for (const auto& bytes : {"\x1f"s, "BZhello"s, "\xff\xfe"s, "PK"s}) {
        EXPECT_EQ(lines_of(bytes), std::vector<std::string>{bytes}) << "a bad line, no more";
    }
}

TEST_F(ReadLines, what_cannot_be_read) {
    const auto none = [](std::uint64_t, std::string_view) { return Status{}; };
    EXPECT_EQ(read_lines(path() + "-absent", none).error().kind, ErrorKind::not_found);
    EXPECT_EQ(read_lines(directory->path(), none).error().kind, ErrorKind::unavailable)
        << "a directory";
}

}  // namespace
}  // namespace helios::app
