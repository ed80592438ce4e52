# Has the running proxy take over the values in its memory volume: a new version of the whole
# map is filled, then takes the place of the old one (HAProxy's management guide, "commit map").
# With an argument it only tells whether there is one: by then it has read the file.
use strict;
use warnings;
use Socket;

my $map = "/run/proxy/values.map";

sub door {
    socket(my $door, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    return connect($door, sockaddr_un("/run/proxy/admin")) ? $door : undef;
}

exit(door() ? 0 : 1) if @ARGV;

sub ask {
    my ($words) = @_;
    my $door = door() or die "connect: $!\n";
    my $left = "$words\n";
    while (length $left) {
        my $sent = syswrite($door, $left) or die "write: $!\n";
        substr($left, 0, $sent) = "";
    }
    shutdown($door, 1);
    my $answer = "";
    while (sysread($door, my $part, 65536)) { $answer .= $part }
    return $answer;
}

my ($version) = ask("prepare map $map") =~ /created: (\d+)/ or die "no new version of the values\n";
open(my $file, "<", $map) or die "$map: $!\n";
while (my $line = <$file>) {
    chomp $line;
    my $answer = ask("add map \@$version $map <<\n$line\n");
    die "a value was not taken\n" if $answer =~ /\S/;
}
my $answer = ask("commit map \@$version $map");
die "the values were not taken\n" if $answer =~ /\S/;
