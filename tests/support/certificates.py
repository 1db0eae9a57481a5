import subprocess
from pathlib import Path


def make_certificate(
    folder: Path, name: str, days: int = 2, alternative: str = "DNS:client"
) -> tuple[Path, Path]:
    """Self-signed: (certificate, key). A negative number of days makes one that has expired."""
    cert, key, wanted = folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}.csr"
    for command in (
        ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", wanted,
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=CA:TRUE"],
        ["x509", "-req", "-in", wanted, "-signkey", key, "-out", cert, "-days", str(days), "-copy_extensions", "copy"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return cert, key
