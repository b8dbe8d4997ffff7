"""Small files of the kinds that LangChain's standard tests would fetch from the network."""

import base64
import io
import wave

# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF"


def wav() -> bytes:
    """A hundredth of a second of silence."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(160))
    return sound.getvalue()


def file_of(url: str) -> bytes:
    """A file of the kind that `url` names."""
    if url.endswith(".pdf"):
        return PDF
    return wav() if url.endswith(".wav") else PNG
