"""The site takes no files. A form that holds one all the same is read without it, and nothing reaches the disk."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class Refuse(FileUploadHandler):
    def new_file(self, *arguments: Any, **more: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None
