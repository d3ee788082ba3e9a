// SPDX-License-Identifier: Apache-2.0
#include "image/metadata.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/options.h"
#include "exif_block.h"
#include "pictures.h"
#include "scratch.h"
#include "test_data.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

const std::string& plain_jpeg() {
  static const std::string jpeg = encoded(waves(16, 16), ".jpg");
  return jpeg;
}

PhotoMetadata metadata_of(const std::string& bytes) {
  const Scratch scratch;
  write_file_atomically(scratch / "photo", bytes);
  return read_metadata(scratch / "photo");
}

constexpr int kMain = ExifBlock::kMain, kExif = ExifBlock::kExif, kGps = ExifBlock::kGps;

ExifBlock full_block(bool big_endian) {
  ExifBlock block(big_endian);
  block.add_text(kMain, 271, " DJI ");
  block.add_text(kMain, 272, "FC330\x01");
  block.add_short(kMain, 274, 6);
  block.add_text(kExif, 36867, "2021:06:05 12:34:56");
  block.add_rationals(kExif, 37386, {{361, 100}});
  block.add_short(kExif, 41989, 20);
  block.add_text(kGps, 1, "S");
  block.add_rationals(kGps, 2, {{33, 1}, {51, 1}, {359012, 10000}});
  block.add_text(kGps, 3, "W");
  block.add_rationals(kGps, 4, {{1512094321, 10000000}});  // decimal degrees alone, as some writers do
  block.add_byte(kGps, 5, 1);
  block.add_rationals(kGps, 6, {{4303, 1000}});
  block.add_text(kGps, 14, "T");
  block.add_rationals(kGps, 15, {{2785, 10}});
  block.add_text(kGps, 16, "M");
  block.add_rationals(kGps, 17, {{9025, 100}});
  return block;
}

}  // namespace

TEST_CASE("EXIF in both byte orders: signs, units, text") {
  for (const bool big_endian : {false, true}) {
    CAPTURE(big_endian);
    const PhotoMetadata photo = metadata_of(with_exif(plain_jpeg(), full_block(big_endian).bytes()));
    CHECK(photo.latitude_deg.value() == Approx(-(33 + 51 / 60.0 + 35.9012 / 3600)).epsilon(1e-14));
    CHECK(photo.longitude_deg.value() == Approx(-151.2094321).epsilon(1e-14));
    CHECK(photo.altitude_m.value() == Approx(-4.303));
    CHECK(photo.gps_track_deg.value() == Approx(278.5));
    CHECK(photo.gps_track_ref.value() == "T");
    CHECK(photo.gps_image_direction_deg.value() == Approx(90.25));
    CHECK(photo.gps_image_direction_ref.value() == "M");
    CHECK(photo.date_time_original.value() == "2021:06:05 12:34:56");
    CHECK(photo.make.value() == "DJI");
    CHECK(photo.model.value() == "FC330?");
    CHECK(photo.focal_length_mm.value() == Approx(3.61));
    CHECK(photo.focal_length_35mm_mm.value() == 20);
    CHECK(photo.orientation == 6);
    CHECK_FALSE(photo.relative_altitude_m.has_value());
  }
}

TEST_CASE("damaged EXIF values are unset, not wrong") {
  ExifBlock block;
  block.add_text(kGps, 1, "N");
  block.add_rationals(kGps, 2, {{0, 0}, {0, 0}, {0, 0}});  // written when there is no fix
  block.add_text(kGps, 3, "E");
  block.add_rationals(kGps, 4, {{500, 1}, {0, 1}, {0, 1}});
  block.add_rationals(kGps, 15, {{361, 1}});
  block.add_text(kGps, 17, "north");
  block.add_short(kExif, 41989, 0);
  const PhotoMetadata photo = metadata_of(with_exif(plain_jpeg(), block.bytes()));
  CHECK_FALSE(photo.latitude_deg.has_value());
  CHECK_FALSE(photo.longitude_deg.has_value());
  CHECK_FALSE(photo.gps_track_deg.has_value());
  CHECK_FALSE(photo.gps_image_direction_deg.has_value());
  CHECK_FALSE(photo.focal_length_35mm_mm.has_value());
  CHECK(photo.orientation == 1);
}

TEST_CASE("DJI's XMP as attributes and as elements") {
  const std::string head =
      "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
      "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='DJI' "
      "xmlns:drone-dji='http://www.dji.com/drone-dji/1.0/'";
  const std::string attributes =
      head +
      " drone-dji:AbsoluteAltitude=\"-12.5\" drone-dji:RelativeAltitude=\"+80.30\" "
      "drone-dji:GimbalYawDegree=\"-132.40\" drone-dji:GimbalPitchDegree=\"-90\" "
      "drone-dji:GimbalRollDegree=\"n/a\" drone-dji:FlightYawDegree=\"+45.1\"/>"
      "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>";
  const std::string elements =
      head +
      "><drone-dji:AbsoluteAltitude>-12.5</drone-dji:AbsoluteAltitude>\n"
      "<drone-dji:RelativeAltitude> +80.30 </drone-dji:RelativeAltitude>"
      "<drone-dji:GimbalYawDegree>-132.40</drone-dji:GimbalYawDegree>"
      "<drone-dji:GimbalPitchDegree>-90</drone-dji:GimbalPitchDegree>"
      "<drone-dji:FlightYawDegree>+45.1</drone-dji:FlightYawDegree></rdf:Description>"
      "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>";
  for (const std::string& packet : {attributes, elements}) {
    const PhotoMetadata photo = metadata_of(with_xmp(plain_jpeg(), packet));
    CHECK(photo.relative_altitude_m.value() == Approx(80.3));
    CHECK(photo.absolute_altitude_m.value() == Approx(-12.5));
    CHECK(photo.gimbal_yaw_deg.value() == Approx(-132.4));
    CHECK(photo.gimbal_pitch_deg.value() == Approx(-90));
    CHECK(photo.flight_yaw_deg.value() == Approx(45.1));
    CHECK_FALSE(photo.gimbal_roll_deg.has_value());
    CHECK_FALSE(photo.latitude_deg.has_value());
  }
  const PhotoMetadata broken =
      metadata_of(with_xmp(plain_jpeg(), attributes.substr(0, attributes.size() / 2)));
  CHECK(broken.orientation == 1);
  CHECK_FALSE(metadata_of(plain_jpeg()).make.has_value());
}

TEST_CASE("signs beside hemisphere letters, letters that are missing, and no fix") {
  const auto position = [](const std::string& ns, std::pair<std::uint32_t, std::uint32_t> degrees,
                           bool with_letters) {
    ExifBlock block;
    if (with_letters) block.add_text(kGps, 1, ns);
    block.add_rationals(kGps, 2, {degrees, {30, 1}, {0, 1}});
    if (with_letters) block.add_text(kGps, 3, "E");
    block.add_rationals(kGps, 4, {{8, 1}, {0, 1}, {0, 1}});
    return metadata_of(with_exif(plain_jpeg(), block.bytes()));
  };
  CHECK(position("S", {33, 1}, true).latitude_deg == -33.5);
  CHECK_FALSE(position("S", {33, 1}, true).warning.has_value());
  const PhotoMetadata bare = position("", {33, 1}, false);
  CHECK(bare.latitude_deg == 33.5);
  CHECK(bare.warning.value().find("hemisphere") != std::string::npos);
  ExifBlock nowhere;
  nowhere.add_text(kGps, 1, "N");
  nowhere.add_rationals(kGps, 2, {{0, 1}, {0, 1}, {0, 1}});
  nowhere.add_text(kGps, 3, "E");
  nowhere.add_rationals(kGps, 4, {{0, 1}, {0, 1}, {0, 1}});
  CHECK_FALSE(metadata_of(with_exif(plain_jpeg(), nowhere.bytes())).latitude_deg.has_value());
}

TEST_CASE("XMP of several makers: position, yaw, pitch and altitude") {
  const auto of = [](const std::string& description) {
    return metadata_of(with_xmp(plain_jpeg(),
                                "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
                                "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>" +
                                    description + "</rdf:RDF></x:xmpmeta>"));
  };
  const PhotoMetadata misspelt =
      of("<rdf:Description xmlns:drone-dji='http://www.dji.com/drone-dji/1.0/' drone-dji:GpsLatitude='-33.5' "
         "drone-dji:GpsLongtitude='+151.25'/>");
  CHECK(misspelt.latitude_deg == -33.5);
  CHECK(misspelt.longitude_deg == 151.25);
  const PhotoMetadata letters =
      of("<rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='47,6.0N' "
         "exif:GPSLongitude='8,12,36W'/>");
  CHECK(letters.latitude_deg.value() == Approx(47.1));
  CHECK(letters.longitude_deg.value() == Approx(-8.21));
  const PhotoMetadata autel =
      of("<rdf:Description xmlns:drone='http://www.autelrobotics.com/drone/1.0/'><drone:GimbalYawDegree>12.5"
         "</drone:GimbalYawDegree><drone:GimbalPitchDegree>-90</drone:GimbalPitchDegree>"
         "<drone:RelativeAltitude>60.1</drone:RelativeAltitude></rdf:Description>");
  CHECK(autel.gimbal_yaw_deg == 12.5);
  CHECK(autel.gimbal_pitch_deg == -90);
  CHECK(autel.relative_altitude_m == 60.1);
  const PhotoMetadata sensefly = of(  // another prefix, Pix4D's address
      "<rdf:Description xmlns:cam='http://pix4d.com/camera/1.0' cam:Yaw='271.2' cam:Pitch='3' cam:Roll='-2' "
      "cam:AboveGroundAltitude='1203/10'/>");
  CHECK(sensefly.gimbal_yaw_deg == 271.2);
  CHECK(sensefly.gimbal_pitch_deg == -87);
  CHECK(sensefly.gimbal_roll_deg == -2);
  CHECK(sensefly.relative_altitude_m.value() == Approx(120.3));
  const PhotoMetadata other =
      of("<rdf:Description xmlns:lab='http://example.org/lab/' lab:Yaw='5' lab:Pitch='6'/>");
  CHECK_FALSE(other.gimbal_yaw_deg.has_value());
}

TEST_CASE("metadata of the odd photos of bug reports") {
  const auto data = test_data();
  if (!data) return;
  const auto of = [&](const char* name) { return read_metadata(*data + "/odd_inputs/" + name); };
  CHECK_FALSE(of("gps_no_fix_0_0.jpg").latitude_deg.has_value());
  CHECK(of("gps_signed_negative_dms_ref_S.jpg").latitude_deg.value() ==
        Approx(-(33 + 51 / 60.0 + 35.9 / 3600)));
  CHECK(of("gps_signed_negative_dms_ref_S.jpg").longitude_deg.value() ==
        Approx(151 + 12 / 60.0 + 40.1 / 3600));
  CHECK(of("gps_signed_negative_one_number_ref_S.jpg").latitude_deg.value() == Approx(-38.025312));
  CHECK(of("gps_signed_negative_one_number_ref_S.jpg").longitude_deg.value() == Approx(145.28905));
  const PhotoMetadata dji = of("xmp_gps_only_exif_gps_empty.jpg");
  CHECK(dji.latitude_deg == 44.5135795);
  CHECK(dji.longitude_deg == -64.3007844);
  CHECK(dji.relative_altitude_m == 99.9);
  const PhotoMetadata parrot = of("xmp_parrot.jpg");
  CHECK(parrot.gimbal_yaw_deg == 45.5);
  CHECK(parrot.gimbal_pitch_deg == -90);
  CHECK(parrot.flight_yaw_deg == 44);
  const PhotoMetadata pix4d = of("xmp_pix4d_camera.jpg");
  CHECK(pix4d.gimbal_yaw_deg == 210.5);
  CHECK(pix4d.gimbal_pitch_deg.value() == Approx(-90.4));
  CHECK(pix4d.gimbal_roll_deg == 0.2);
  CHECK(pix4d.relative_altitude_m == 88.25);
  const PhotoMetadata skydio = of("xmp_skydio.jpg");
  CHECK(skydio.gimbal_yaw_deg == 123.4);
  CHECK(skydio.gimbal_pitch_deg == -89.5);
  CHECK(skydio.gimbal_roll_deg == 0.1);
  CHECK(skydio.relative_altitude_m == 35.5);
  CHECK(skydio.absolute_altitude_m == 112.25);
}

TEST_CASE("a table has the fields the file has, and what is not a picture fails") {
  const Json table = options_to_json(metadata_of(with_exif(plain_jpeg(), full_block(false).bytes())));
  CHECK(table["latitude_deg"].get<double>() == Approx(-33.8599725));
  CHECK(table["relative_altitude_m"].is_null());
  CHECK(table.size() == std::tuple_size_v<decltype(PhotoMetadata::fields)>);
  try {
    metadata_of("nothing");
    FAIL("no failure");
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kBadFormat);
  }
}

TEST_CASE("photos of a DJI drone and of a survey camera") {
  const auto data = test_data();
  if (!data) return;
  const PhotoMetadata dji = read_metadata(*data + "/brighton_beach/DJI_0018.jpg");
  CHECK(dji.make.value() == "DJI");
  CHECK(dji.latitude_deg.value() == Approx(46.842).margin(0.02));
  CHECK(dji.longitude_deg.value() == Approx(-91.995).margin(0.05));
  CHECK(dji.relative_altitude_m.has_value());
  CHECK(dji.gimbal_yaw_deg.has_value());
  CHECK(dji.flight_yaw_deg.has_value());
  const PhotoMetadata survey = read_metadata(*data + "/seneca/IMG_0446.jpg");
  CHECK(survey.gps_track_deg.has_value());
  CHECK(survey.latitude_deg.has_value());
  CHECK_FALSE(survey.gimbal_yaw_deg.has_value());
}
