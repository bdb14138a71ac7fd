"""MediaSourceInfo and MediaStream of a track (jellyfin-api.md 6.3)."""

from typing import Any

from jellytui.demo.library import MUSIC_ROOT, DemoTrack, tag_of
from jellytui.demo.wire.emulation import Emulation
from jellytui.demo.wire.replies import present

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_FLAGS = {"IsDefault": False, "IsForced": False, "IsHearingImpaired": False}
_CODEC_NAMES = {"flac": "FLAC", "mp3": "MP3", "aac": "AAC", "vorbis": "VORBIS", "opus": "OPUS", "alac": "ALAC"}


def media_source(track: DemoTrack, emulation: Emulation, *, default_stream: bool = True) -> dict[str, Any]:
    """The one source of a track. `ETag` follows the file's time: with `Size` it tells a changed file."""
    return present(
        Protocol="File",
        Id=track.id,
        Path=track.path,
        Type="Default",
        Container=source_container(track),
        Size=track.size,
        Name=track.file.stem,
        IsRemote=False,
        ETag=tag_of(track.modified),
        RunTimeTicks=track.run_time_ticks,
        ReadAtNativeFramerate=False,
        IgnoreDts=False,
        IgnoreIndex=False,
        GenPtsInput=False,
        SupportsTranscoding=True,
        SupportsDirectStream=True,
        SupportsDirectPlay=True,
        IsInfiniteStream=False,
        UseMostCompatibleTranscodingProfile=False,
        RequiresOpening=False,
        RequiresClosing=False,
        RequiresLooping=False,
        SupportsProbing=True,
        MediaStreams=media_streams(track, emulation),
        MediaAttachments=[],
        Formats=[],
        Bitrate=track.bit_rate,
        RequiredHttpHeaders={},
        TranscodingSubProtocol="http",
        DefaultAudioStreamIndex=0 if default_stream and track.codec else None,
        HasSegments=False,
    )


def source_container(track: DemoTrack) -> str:
    """The container of the source: `m4a` where the item has ffmpeg's whole list (8.2)."""
    return track.file.suffix[1:].lower() if "," in track.container else track.container


def media_streams(track: DemoTrack, emulation: Emulation) -> list[dict[str, Any]]:
    """The sound, the picture in the file and the lyrics beside it."""
    if track.codec is None:
        return []
    streams = [_audio(track, emulation)]
    if track.image is not None:
        streams.append(_picture(len(streams), emulation))
    if track.lyrics_file is not None:
        path = f"{track.path.rpartition('/')[0]}/{track.lyrics_file.name}"
        streams.append(_common("Lyric", len(streams), emulation) | {"Path": path or MUSIC_ROOT})
    return streams


def _common(kind: str, index: int, emulation: Emulation) -> dict[str, Any]:
    stream: dict[str, Any] = {"VideoRange": "Unknown", "VideoRangeType": "Unknown", "AudioSpatialFormat": "None"}
    stream |= {"IsInterlaced": False, **_FLAGS}
    if emulation.is_12:
        stream["IsOriginal"] = False
    elif kind != "Lyric":
        stream["IsAVC"] = False
    stream |= {"Type": kind, "Index": index, "IsExternal": False}
    return stream | {"IsTextSubtitleStream": False, "SupportsExternalStream": False}


def _audio(track: DemoTrack, emulation: Emulation) -> dict[str, Any]:
    channels = track.channels or 2
    layout = _LAYOUTS.get(channels, f"{channels} channels")
    codec = track.codec or ""
    words = present(LocalizedDefault="Default", LocalizedExternal="External")
    if emulation.is_12:
        words["LocalizedOriginal"] = "Original"
    more = {} if emulation.is_12 else {"Level": 0}
    return (
        _common("Audio", 0, emulation)
        | words
        | more
        | present(
            Codec=codec,
            TimeBase=f"1/{track.sample_rate}",
            DisplayTitle=f"{_CODEC_NAMES.get(codec, codec.upper())} - {layout.capitalize()}",
            ChannelLayout=layout,
            BitRate=track.bit_rate,
            BitDepth=track.bit_depth,
            Channels=channels,
            SampleRate=track.sample_rate,
        )
    )


def _picture(index: int, emulation: Emulation) -> dict[str, Any]:
    return _common("EmbeddedImage", index, emulation) | {
        "Codec": "mjpeg",
        "ColorSpace": "bt470bg",
        "Comment": "Other",
        "TimeBase": "1/90000",
        "BitDepth": 8,
        "RefFrames": 1,
        "Height": 600,
        "Width": 600,
        "RealFrameRate": 90000,
        "ReferenceFrameRate": 90000,
        "Profile": "Baseline",
        "AspectRatio": "1:1",
        "PixelFormat": "yuvj420p",
        "Level": -99,
        "IsAnamorphic": False,
    }
