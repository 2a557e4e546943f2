#include "app/lines.h"

#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include "app/temporary_directory.h"

namespace helios::app {
namespace {

const std::string byte_order_mark = "\xEF\xBB\xBF";

struct ReadLines : testing::Test {
    std::vector<std::string> lines_of(const std::string& content) const {
        std::ofstream(path(), std::ios::binary) << content;
        std::vector<std::string> out;
        const auto read = read_lines(path(), [&](std::uint64_t number, std::string_view line) -> Status {
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
    EXPECT_EQ((Lines{"a", byte_order_mark + "b"}), lines_of(byte_order_mark + "a\n" + byte_order_mark + "b\n"));
}

TEST_F(ReadLines, of_any_length) {
    // Around every place where one read ends and the next begins.
    for (const std::size_t length : {(256u << 10) - 2, (256u << 10) - 1, 256u << 10, (256u << 10) + 1, 1u << 20}) {
        const std::string first(length, 'x');
        const auto lines = lines_of(first + "\nsecond\n" + first);
        ASSERT_EQ(3u, lines.size());
        EXPECT_TRUE(lines[0] == first && lines[1] == "second" && lines[2] == first) << length;
    }
}

TEST_F(ReadLines, the_first_refusal_ends_it) {
    std::ofstream(path()) << "a\nb\nc\n";
    std::uint64_t last = 0;
    const auto read = read_lines(path(), [&](std::uint64_t number, std::string_view line) -> Status {
        last = number;
        return line == "b" ? Status(fail(ErrorKind::conflict, "b")) : Status{};
    });
    ASSERT_FALSE(read);
    EXPECT_EQ(ErrorKind::conflict, read.error().kind);
    EXPECT_EQ(2u, last);
}

TEST_F(ReadLines, what_cannot_be_read) {
    const auto none = [](std::uint64_t, std::string_view) { return Status{}; };
    EXPECT_EQ(ErrorKind::not_found, read_lines(path() + "-absent", none).error().kind);
    EXPECT_EQ(ErrorKind::unavailable, read_lines(directory->path(), none).error().kind) << "a directory";
}

}  // namespace
}  // namespace helios::app
