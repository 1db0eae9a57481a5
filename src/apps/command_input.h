#pragma once
// The texts that `embed` and `route` are given.

#include <embedrouter/result.h>

#include <string>
#include <vector>

namespace embedrouter::apps {

// `named`, where "-" stands for the lines of standard input, then the lines of `files`; standard input alone
// where nothing is named. At least one text, all of them UTF-8 and not empty.
Result<std::vector<std::string>> read_texts(const std::vector<std::string>& named,
                                            const std::vector<std::string>& files);

}  // namespace embedrouter::apps
