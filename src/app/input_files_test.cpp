#include "app/input_files.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "base/temporary_directory.h"

namespace helios::app {
namespace {

class InputFilesTest : public ::testing::Test {
protected:
    std::string write(const std::string& name, std::string_view text) const {
        const auto path = directory_.path() + "/" + name;
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

private:
    TemporaryDirectory directory_ = *TemporaryDirectory::make("input-files");
};

TEST_F(InputFilesTest, a_line_of_a_regular_file_is_read_again) {
    const auto first = write("first", "one\ntwo\n");
    const InputFiles files({first, write("second", "three\r\nfour")});
    for (const auto& [file, begin, line] :
         {std::tuple(0u, 4u, "two"), std::tuple(1u, 0u, "three"), std::tuple(1u, 7u, "four")}) {
        const LineOrigin origin{
            .file = file, .number = 9, .place = files.place_of(file, begin, line)};
        const auto bytes = origin.encode();
        const auto again = files.read(LineOrigin::of(bytes));
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, line);
    }
    EXPECT_EQ(files.name(0), first);
}

TEST_F(InputFilesTest, a_line_that_is_not_what_it_was_is_named) {
    const auto path = write("events", "one\ntwo\n");
    const InputFiles files({path});
    const LineOrigin origin{.file = 0, .number = 2, .place = files.place_of(0, 4, "two")};
    for (const auto* other : {"one\ntoo\n", "one\nt", ""}) {
        write("events", other);
        const auto again = files.read(origin);
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().kind, ErrorKind::unavailable);
        EXPECT_TRUE(again.error().what.starts_with(path + ":2: the line is not what it was"));
    }
}

TEST_F(InputFilesTest, what_is_no_regular_file_is_not_read_again) {
    const InputFiles files({"/dev/null", write("empty", ""), "/nowhere/at/all"});
    for (const std::size_t file : {0u, 1u, 2u}) {
        EXPECT_FALSE(files.place_of(file, 0, "one"));
    }
    LineOrigin origin{.file = 1, .number = 3};
    origin.text = "kept";
    const auto bytes = origin.encode();
    const auto decoded = LineOrigin::of(bytes);
    EXPECT_EQ(decoded.file, 1u);
    EXPECT_EQ(decoded.number, 3u);
    EXPECT_FALSE(decoded.place);
    EXPECT_EQ(decoded.text, "kept");
}

}  // namespace
}  // namespace helios::app
