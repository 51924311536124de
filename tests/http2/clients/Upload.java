import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.cert.X509Certificate;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Upload.java URL BYTES TOKEN RUNS: waits for the 100; prints version, status and milliseconds. */
public class Upload {
    public static void main(String[] args) throws Exception {
        var tls = SSLContext.getInstance("TLS");
        tls.init(null, new TrustManager[] {new TrustAll()}, null);
        var client = HttpClient.newBuilder().sslContext(tls).build();
        var request = HttpRequest.newBuilder(URI.create(args[0]))
                .PUT(BodyPublishers.ofByteArray(new byte[Integer.parseInt(args[1])]))
                .expectContinue(true)
                .timeout(Duration.ofSeconds(10))
                .header("Authorization", "Bearer " + args[2])
                .build();
        for (int run = 0; run < Integer.parseInt(args[3]); run++) {
            long started = System.nanoTime();
            var response = client.send(request, BodyHandlers.discarding());
            long took = (System.nanoTime() - started) / 1_000_000;
            System.out.println(response.version() + " " + response.statusCode() + " " + took);
        }
        System.exit(0);
    }

    private static class TrustAll extends X509ExtendedTrustManager {
        public void checkClientTrusted(X509Certificate[] chain, String type) {}
        public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        public void checkServerTrusted(X509Certificate[] chain, String type) {}
        public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
