#pragma once
// For the tests: certificates made on the spot, in files that go with the object.

#include <filesystem>
#include <string>

namespace embedrouter::net::testing {

struct CertificateOptions {
  std::string name = "localhost";     // what it is for: a DNS name
  std::string address = "127.0.0.1";  // and an IP address
  long valid_from_seconds = -3600;    // relative to now
  long valid_for_seconds = 3600;
};

// A self-signed certificate: it is its own authority.
class TestCertificate {
 public:
  explicit TestCertificate(const CertificateOptions& options = {});
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  std::string cert_file() const { return (folder_ / "cert.pem").string(); }
  std::string key_file() const { return (folder_ / "key.pem").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace embedrouter::net::testing
