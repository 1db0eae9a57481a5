// Preloaded into a program under test: names are looked up in the file FAKE_DNS names, read anew each time.
//   name address...      these addresses, in this order
//   name !slow           no answer for half a minute
//   name                 no such name
// Names that are not in the file go to the system.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace {

using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

Function real() {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
}

// The words behind the name's; false if it is not in the file.
bool find(const std::string& name, std::string& words) {
  const char* file = std::getenv("FAKE_DNS");
  std::ifstream in(file == nullptr ? "" : file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream split(line);
    std::string first;
    split >> first;
    if (first != name) continue;
    std::getline(split, words);
    return true;
  }
  return false;
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  std::string words;
  if (name == nullptr || !find(name, words)) return real()(name, service, hints, result);
  std::istringstream split(words);
  addrinfo** end = result;
  *end = nullptr;
  for (std::string word; split >> word;) {
    if (word == "!slow") ::sleep(30);
    addrinfo numeric{};
    if (hints != nullptr) numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    if (real()(word.c_str(), service, &numeric, end) != 0) continue;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *result == nullptr ? EAI_NONAME : 0;
}
